/** A schema in the part of JSON Schema that the descriptions of the API use. */
export type Schema = Readonly<Record<string, unknown>>;

const prefix = '#/components/schemas/';

/** The most characters of a union in one line. */
const lineMax = 80;

/**
 * Returns TypeScript types of these schemas and of all schemas that they refer to, by name.
 * @throws Error for a reference without a schema, and for schemas that it does not know.
 */
export function typesOfSchemas(schemas: Readonly<Record<string, Schema>>, roots: Iterable<string>): string {
  const names = reachable(schemas, roots);
  const declarations = names.map((name) => declaration(name, schemas[name] as Schema));
  return declarations.join('\n').replace(/ +$/gm, '');
}

/** The names in a value's references to `#/components/schemas`. */
export function* referencesIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (name !== '$ref' || typeof member !== 'string') yield* referencesIn(member);
    else if (member.startsWith(prefix)) yield nameIn(member);
  }
}

function reachable(schemas: Readonly<Record<string, Schema>>, roots: Iterable<string>): string[] {
  const found = new Set(roots);
  // A set also visits what is added during the loop.
  for (const name of found) {
    if (schemas[name] === undefined) throw new Error(`there is no schema ${name}`);
    for (const other of referencesIn(schemas[name])) found.add(other);
  }
  return [...found].toSorted();
}

function nameIn(reference: string): string {
  return reference.slice(prefix.length);
}

function declaration(name: string, schema: Schema): string {
  const type = typeOf(schema, '');
  const declared = isObject(schema) ? `export interface ${name} ${type}` : `export type ${name} = ${type};`;
  return `${comment(schema, '')}${declared}\n`;
}

function isObject({ type, properties }: Schema): boolean {
  return type === 'object' && properties !== undefined;
}

/** @param indent the blanks before the line in which the type begins */
function typeOf(schema: Schema, indent: string): string {
  const { $ref, enum: words, type, items } = schema;
  if (typeof $ref === 'string') return nameIn($ref);
  if ('const' in schema) return literal(schema.const);
  if (Array.isArray(words)) return joined(words.map(literal), '|', indent);
  for (const [keyword, sign] of [
    ['anyOf', '|'],
    ['oneOf', '|'],
    ['allOf', '&'],
  ] as const) {
    const parts = schema[keyword];
    if (Array.isArray(parts))
      return joined(
        parts.map((part) => typeOf(part as Schema, indent)),
        sign,
        indent,
      );
  }
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
      return type;
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return arrayOf(typeOf((items ?? {}) as Schema, indent));
    case 'object':
      return isObject(schema) ? members(schema, indent) : 'Readonly<Record<string, unknown>>';
    case undefined:
      return 'unknown';
    default:
      throw new Error(`unknown type in ${JSON.stringify(schema)}`);
  }
}

function arrayOf(type: string): string {
  return type.includes(' | ') || type.includes(' & ') ? `readonly (${type})[]` : `readonly ${type}[]`;
}

function members({ properties, required = [] }: Schema, indent: string): string {
  const inner = `${indent}  `;
  const lines = Object.entries(properties as Readonly<Record<string, Schema>>).map(([name, schema]) => {
    const mark = (required as readonly string[]).includes(name) ? '' : '?';
    return `${comment(schema, inner)}${inner}readonly ${name}${mark}: ${typeOf(schema, inner)};\n`;
  });
  return `{\n${lines.join('')}${indent}}`;
}

function joined(parts: readonly string[], sign: '|' | '&', indent: string): string {
  const line = parts.join(` ${sign} `);
  if (line.length <= lineMax || line.includes('\n')) return line;
  return parts.map((part) => `\n${indent}  ${sign} ${part}`).join('');
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value.replace(/['\\]/g, '\\$&')}'` : JSON.stringify(value);
}

function comment({ description }: Schema, indent: string): string {
  return typeof description === 'string' ? `${indent}/** ${description.replaceAll('*/', '*\\/')} */\n` : '';
}
