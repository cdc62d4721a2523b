import { describe, expect, test } from 'vitest';
import { maskName, maskPhone, normalPhone } from './phone-number.ts';
import { SealedValueError, SecretBox } from './secret-box.ts';

const one = { id: 'one', key: Buffer.alloc(32, 1) };
const two = { id: 'two', key: Buffer.alloc(32, 2) };

// SPEC S3
describe('sealed values', () => {
  test('open again, and never look the same', () => {
    const box = new SecretBox([one]);
    const sealed = box.seal('张三', 'name:u1');
    expect(box.open(sealed, 'name:u1')).toBe('张三');
    expect(box.seal('张三', 'name:u1')).not.toEqual(sealed);
    expect(sealed.toString('utf8')).not.toContain('张');
  });

  test('that were stored once open for ever, and are found by the same digests', () => {
    const box = new SecretBox([{ id: 'k1', key: Buffer.alloc(32, 7) }]);
    const stored = '01026b31d6a7395af7303b39fa1caa49f6513228050401a693ba4c883899c13980238b6cbafff934c4e514';
    expect(box.open(Buffer.from(stored, 'hex'), 'phone:u1')).toBe('13800000000');
    expect(box.digests('13800000000', 'phone')[0].toString('hex')).toBe(
      'd91ae5790f883ad45f836fff8ecb88b17f0372388d3c05dd73f0e7d2ef79ee02',
    );
  });

  test('of an older key open as long as it is configured; new ones take the newest', () => {
    const sealed = new SecretBox([one]).seal('13812345678', 'phone:u1');
    const rotated = new SecretBox([two, one]);
    expect(rotated.open(sealed, 'phone:u1')).toBe('13812345678');
    expect(new SecretBox([two]).open(rotated.seal('x', 'p'), 'p')).toBe('x');
    expect(() => new SecretBox([two]).open(sealed, 'phone:u1')).toThrow(SealedValueError);
  });

  test('do not open elsewhere, nor when a single bit differs', () => {
    const box = new SecretBox([one]);
    const sealed = box.seal('secret', 'phone:u1');
    expect(() => box.open(sealed, 'phone:u2')).toThrow(SealedValueError);
    for (let index = 0; index < sealed.length; index += 1) {
      const damaged = Buffer.from(sealed);
      damaged[index] = (damaged[index] ?? 0) ^ 1;
      expect(() => box.open(damaged, 'phone:u1')).toThrow(SealedValueError);
    }
    expect(() => box.open(Buffer.alloc(0), 'phone:u1')).toThrow(SealedValueError);
  });

  test('digests are the same for the same text and key, and for nothing else', () => {
    const [newest, older] = new SecretBox([two, one]).digests('+8613812345678', 'phone');
    expect(new SecretBox([one]).digests('+8613812345678', 'phone')).toEqual([older]);
    expect(newest).not.toEqual(older);
    expect(new SecretBox([one]).digests('+8613812345679', 'phone')).not.toEqual([older]);
    expect(new SecretBox([one]).digests('+8613812345678', 'code')).not.toEqual([older]);
  });
});

// SPEC S3
describe('phones and names', () => {
  test.each([
    ['13812345678', '+8613812345678'],
    ['138 1234-5678', '+8613812345678'],
    ['+86 138 1234 5678', '+8613812345678'],
    ['008613812345678', '+8613812345678'],
    ['8613812345678', '+8613812345678'],
    ['+4915112345678', '+4915112345678'],
    ['01012345678', '+8601012345678'],
  ])('%s is %s', (text, normal) => {
    expect(normalPhone(text, 86)).toBe(normal);
  });

  test.each([
    ['+8613812345678', '138****5678'],
    ['+4915112345678', '+49*******5678'],
    ['+8612345', '*****'],
  ])('%s is shown as %s', (phone, shown) => {
    expect(maskPhone(phone, 86)).toBe(shown);
  });

  test.each([
    ['张三', '张*'],
    ['欧阳娜娜', '欧**'],
    ['李', '李'],
    ['Ann Lee', 'A**'],
    ['', ''],
  ])('%s is shown as %s', (name, shown) => {
    expect(maskName(name)).toBe(shown);
  });
});
