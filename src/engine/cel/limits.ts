/** The bounds of expressions. Measured on two cores of a small server: a step takes 0.05 to 0.3 µs. */

/** Characters of an expression; the contract says the same. */
export const MAX_EXPRESSION_CHARACTERS = 4000;

/** Nodes of the syntax tree after macros are expanded; a long hand-written condition has about 100. */
export const MAX_NODES = 400;

/** Brackets open at the same time; the parser recurses several frames for each, and a worker's stack is small. */
export const MAX_BRACKET_DEPTH = 24;

/** Loops (`exists`, `all`, `filter`, `map`, `exists_one`) inside a loop: one in another, no third. */
export const MAX_LOOP_DEPTH = 2;

/**
 * Steps one check may take, by the estimate made before it runs. It allows a loop of 40 nodes over 5,000 lines, which takes 10
 * to 60 ms, and refuses a loop over 5,000 lines inside another.
 */
export const MAX_STEPS = 200_000;
