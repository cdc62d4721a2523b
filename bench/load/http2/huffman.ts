/**
 * Huffman decoding of header strings (RFC 7541, appendix B).
 *
 * The code of the standard is canonical: codes of one length are consecutive and ordered by symbol. So the lengths alone
 * give the table. Only printable characters are listed; servers put nothing else into a header, and the other symbols
 * that are short enough to matter (NUL, with 13 bits) are listed to keep the numbering right.
 */

const SYMBOLS_BY_LENGTH: ReadonlyMap<number, string> = new Map([
  [5, '012aceiost'],
  [6, ' %-./3456789=A_bdfghlmnpru'],
  [7, ':BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz'],
  [8, '&*,;XZ'],
  [10, '!"()?'],
  [11, "'+|"],
  [12, '#>'],
  [13, '\0$@[]~'],
  [14, '^}'],
  [15, '<`{'],
  [19, '\\'],
]);

const LONGEST_CODE_BITS = 19;

/** Symbols by `(length << 16) | code`. */
const SYMBOLS = buildSymbols();

function buildSymbols(): ReadonlyMap<number, string> {
  const symbols = new Map<number, string>();
  let code = 0;
  for (let bits = 5; bits <= LONGEST_CODE_BITS; bits += 1) {
    for (const symbol of SYMBOLS_BY_LENGTH.get(bits) ?? '') {
      symbols.set((bits << 16) | code, symbol);
      code += 1;
    }
    code <<= 1;
  }
  return symbols;
}

/** The text of a Huffman-coded header string; throws when it holds a character no header of ours contains. */
export function decodeHuffman(bytes: Buffer): string {
  let text = '';
  let code = 0;
  let bits = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      code = (code << 1) | ((byte >> bit) & 1);
      bits += 1;
      const symbol = SYMBOLS.get((bits << 16) | code);
      if (symbol !== undefined) {
        text += symbol;
        code = 0;
        bits = 0;
      } else if (bits > LONGEST_CODE_BITS) {
        throw new Error(`not a printable character in a header: ${bytes.toString('hex')}`);
      }
    }
  }
  return text;
}
