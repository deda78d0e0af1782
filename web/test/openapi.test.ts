// What types.ts says of an answer and what the gateway's description says of it are the same: the names of
// the fields, and what may stand in each.
// @vitest-environment node
import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

interface Schema {
  $ref?: string
  type?: string | string[]
  enum?: (string | number | null)[]
  const?: string
  properties?: Record<string, Schema>
  additionalProperties?: Schema | boolean
  items?: Schema
  anyOf?: Schema[]
}
const described = JSON.parse(readFileSync(new URL('../../src/portal/openapi.json', import.meta.url), 'utf8'))
const schemas: Record<string, Schema> = described.components.schemas

const file = new URL('../src/api/types.ts', import.meta.url).pathname
const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true)
const interfaces = new Map<string, ts.InterfaceDeclaration>()
const aliases = new Map<string, ts.TypeNode>()
source.forEachChild(node => {
  if (ts.isInterfaceDeclaration(node)) interfaces.set(node.name.text, node)
  if (ts.isTypeAliasDeclaration(node)) aliases.set(node.name.text, node.type)
})

// A shape is what both languages can say: kinds, words, fields.
type Shape = { kinds: string[]; words?: unknown[]; fields?: Record<string, Shape>; each?: Shape; any?: Shape }
const unite = (shapes: Shape[]): Shape => {
  const words = shapes.flatMap(one => one.words ?? [])
  return Object.assign({}, ...shapes, { kinds: [...new Set(shapes.flatMap(one => one.kinds))].sort() }, words.length ? { words: words.sort() } : {})
}

function ofMembers(members: ts.NodeArray<ts.TypeElement>): Record<string, Shape> {
  return Object.fromEntries(members.filter(ts.isPropertySignature).map(one => [one.name.getText(), ofType(one.type!)]))
}
function ofInterface(name: string): Shape {
  const found = interfaces.get(name)!
  const bases = (found.heritageClauses ?? []).flatMap(clause => clause.types.map(type => ofInterface(type.expression.getText())))
  return { kinds: ['object'], fields: Object.assign({}, ...bases.map(one => one.fields), ofMembers(found.members)) }
}
function ofType(type: ts.TypeNode): Shape {
  if (ts.isUnionTypeNode(type)) return unite(type.types.map(ofType))
  if (ts.isParenthesizedTypeNode(type)) return ofType(type.type)
  if (ts.isTypeLiteralNode(type)) return { kinds: ['object'], fields: ofMembers(type.members) }
  if (ts.isArrayTypeNode(type)) return { kinds: ['array'], each: ofType(type.elementType) }
  if (ts.isTupleTypeNode(type)) return { kinds: ['array'], each: unite(type.elements.map(ofType)) }
  if (ts.isLiteralTypeNode(type)) {
    if (type.literal.kind === ts.SyntaxKind.NullKeyword) return { kinds: ['null'] }
    if (ts.isStringLiteral(type.literal)) return { kinds: ['string'], words: [type.literal.text] }
    return { kinds: ['number'], words: [Number(type.literal.getText())] }
  }
  if (ts.isTypeReferenceNode(type)) {
    const name = type.typeName.getText()
    if (name === 'Record') return { kinds: ['object'], any: ofType(type.typeArguments![1]!) }
    if (interfaces.has(name)) return ofInterface(name)
    if (aliases.has(name)) return ofType(aliases.get(name)!)
  }
  return { kinds: [type.getText()] }
}

function ofSchema(schema: Schema): Shape {
  if (schema.$ref) return ofSchema(schemas[schema.$ref.split('/').pop()!]!)
  if (schema.anyOf) return unite(schema.anyOf.map(ofSchema))
  const kinds = [schema.type ?? []].flat().map(kind => (kind === 'integer' ? 'number' : kind))
  const shape: Shape = { kinds: [...new Set(kinds)].sort() }
  const words = schema.enum?.filter(word => word !== null)
  if (words) shape.words = [...words].sort()
  if (schema.properties) shape.fields = Object.fromEntries(Object.entries(schema.properties).map(([name, one]) => [name, ofSchema(one)]))
  else if (typeof schema.additionalProperties === 'object') shape.any = ofSchema(schema.additionalProperties)
  if (schema.items) shape.each = ofSchema(schema.items)
  return shape
}

describe('types.ts and openapi.json say the same of', () => {
  // List<T> has a schema for each T.
  for (const name of [...interfaces.keys()].filter(one => one !== 'List')) {
    it(name, () => {
      expect(schemas[name], `openapi.json has no schema ${name}`).toBeDefined()
      expect(ofSchema(schemas[name]!)).toEqual(ofInterface(name))
    })
  }
  for (const name of ['Role', 'Severity', 'Life', 'DeviceState', 'OfflineKind', 'Quality']) {
    it(name, () => expect(ofSchema(schemas[name]!)).toEqual(ofType(aliases.get(name)!)))
  }
})

describe('openapi.json', () => {
  it('names only schemas and answers that it has', () => {
    const missing: string[] = []
    JSON.stringify(described, (key, value) => {
      if (key === '$ref' && !(value as string).split('/').slice(1).reduce((at, step) => at?.[step], described)) missing.push(value)
      return value
    })
    expect(missing).toEqual([])
  })
  it('describes what every endpoint takes and who may', () => {
    for (const [path, methods] of Object.entries<Record<string, { 'x-role': string | null; summary: string; operationId: string; responses: object; parameters?: { name: string; in: string }[] }>>(described.paths)) {
      for (const one of Object.values(methods)) {
        expect([null, 'viewer', 'operator', 'admin']).toContain(one['x-role'])
        expect(one.summary).not.toBe('')
        const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(found => found[1])
        expect((one.parameters ?? []).filter(parameter => parameter.in === 'path').map(parameter => parameter.name)).toEqual(inPath)
        if (one['x-role']) expect(Object.keys(one.responses)).toEqual(expect.arrayContaining(['401', '403']))
      }
    }
  })
})
