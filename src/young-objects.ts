/**
 * Keeps V8 from allocating in the old generation what its statistics say will grow old. What they see of a server under load is
 * that the objects of a call outlive a scavenge; but a call that is over must be garbage at the next one, and one dead object
 * among the old keeps all that it leads to until a full collection. Measured in docs/adr/0014. Process-wide, threads included; to be
 * imported before anything else.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--no-allocation-site-pretenuring');
