/** A node of the syntax tree; its other fields depend on `type` and are looked at one by one. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** Whether a value is a node of the tree. */
export function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    'start' in value
  );
}

/** A field of a node: whatever is there, or undefined. */
export function field(node: SyntaxNode | undefined, name: string): unknown {
  return node === undefined ? undefined : Reflect.get(node, name);
}

/** A field that holds a node, or undefined. */
export function child(node: SyntaxNode | undefined, name: string): SyntaxNode | undefined {
  const value = field(node, name);
  return isNode(value) ? value : undefined;
}

/** The node and all nodes below it, in the order of the text. */
export function* descendants(node: SyntaxNode): Generator<SyntaxNode> {
  yield node;
  for (const value of Object.values(node)) {
    for (const item of Array.isArray(value) ? value : [value]) if (isNode(item)) yield* descendants(item);
  }
}

/** All nodes of one type below a node. */
export function nodesOfType(root: SyntaxNode, ...types: readonly string[]): SyntaxNode[] {
  return descendants(root)
    .filter((node) => types.includes(node.type))
    .toArray();
}

/** `a.b.c` for a name or a chain of plain members; '' for anything else. */
export function dottedName(node: SyntaxNode | undefined): string {
  if (node?.type === 'Identifier') return String(field(node, 'name'));
  if (node?.type !== 'MemberExpression' || field(node, 'computed') === true) return '';
  const object = dottedName(child(node, 'object'));
  return object === '' ? '' : `${object}.${dottedName(child(node, 'property'))}`;
}

/** A module that a file imports or re-exports from. */
export interface ImportedModule {
  readonly name: string;
  readonly position: number;
  /** Types only: gone at run time. */
  readonly isType: boolean;
}

/** Every module a file names in `import`, `export … from` and `import()`. */
export function importedModules(program: SyntaxNode): ImportedModule[] {
  const statements = nodesOfType(
    program,
    'ImportDeclaration',
    'ExportNamedDeclaration',
    'ExportAllDeclaration',
    'ImportExpression',
  );
  return statements.flatMap((statement) => {
    const name = field(child(statement, 'source'), 'value');
    if (typeof name !== 'string') return [];
    const kind = field(statement, 'importKind') ?? field(statement, 'exportKind');
    return [{ name, position: statement.start, isType: kind === 'type' }];
  });
}
