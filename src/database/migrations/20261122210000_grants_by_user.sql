-- migrate:up

-- Whether a granted coupon comes with a message is looked up by its user.
create index grant_recipient_user on grant_recipient (user_id);

-- migrate:down

drop index grant_recipient_user;
