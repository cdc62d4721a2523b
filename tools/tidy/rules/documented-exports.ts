import { perFile, type Rule } from '../rule.ts';
import type { SourceFile } from '../source-file.ts';
import { child, field, isNode, type SyntaxNode } from '../syntax.ts';

/** Whoever uses an export learns its contract from its comment: shapes, units, errors. */
export const documentedExports: Rule = {
  promise: 'every exported declaration has a doc comment',
  check: perFile((file) => (file.isWritten && !file.isTest ? undocumented(file) : [])),
  planted: {
    'src/ledger/bare.ts': 'export const limit = 5;',
    'src/ledger/plain-comment.ts': '// A limit.\nexport function limit() {}',
    'src/ledger/two.ts': '/** One. */\nexport interface One {}\nexport interface Two {}',
  },
};

function undocumented(file: SourceFile): string[] {
  const body = field(file.parsed.program, 'body');
  const statements = Array.isArray(body) ? body.filter(isNode) : [];
  const overloaded = new Set<string>();
  return statements.flatMap((statement, index) => {
    const name = exportedName(statement);
    if (name === undefined || overloaded.has(name)) return [];
    overloaded.add(name);
    return isDocumented(file, statements, index)
      ? []
      : [file.fault(statement.start, `${name} has no doc comment`)];
  });
}

/** Constants on adjoining lines share the comment above the first of them. */
function isDocumented(file: SourceFile, statements: readonly SyntaxNode[], index: number): boolean {
  const [before, statement] = [statements[index - 1], statements[index]];
  if (statement === undefined) return false;
  if (hasDocComment(file, statement)) return true;
  const continuesRow =
    before !== undefined &&
    isExportedConstant(before) &&
    isExportedConstant(statement) &&
    /^[ \t]*\n[ \t]*$/.test(file.text.slice(before.end, statement.start));
  return continuesRow && isDocumented(file, statements, index - 1);
}

function isExportedConstant(statement: SyntaxNode): boolean {
  return child(statement, 'declaration')?.type === 'VariableDeclaration';
}

/** The first name a statement declares and exports; undefined for imports, re-exports and what stays inside. */
function exportedName(statement: SyntaxNode): string | undefined {
  if (!['ExportNamedDeclaration', 'ExportDefaultDeclaration'].includes(statement.type)) return undefined;
  const declaration = child(statement, 'declaration');
  if (declaration === undefined) return undefined;
  const declarators = field(declaration, 'declarations');
  const named = Array.isArray(declarators) ? declarators.find(isNode) : declaration;
  return String(field(child(named, 'id'), 'name') ?? 'the default export');
}

function hasDocComment(file: SourceFile, statement: SyntaxNode): boolean {
  const before = file.parsed.comments.findLast((comment) => comment.end <= statement.start);
  if (before === undefined || before.type !== 'Block' || !before.value.startsWith('*')) return false;
  return file.text.slice(before.end, statement.start).trim() === '';
}
