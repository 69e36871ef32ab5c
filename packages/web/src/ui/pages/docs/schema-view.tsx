import type { ReactNode } from 'react'
import { Prose } from '../../parts/prose.tsx'
import { type Schema, schemaName } from './api-document.ts'
import styles from './docs.module.css'

/** The fields of an object, and of the objects in it. A named schema is linked to its description. */
export function SchemaFields({ schema }: { schema: Schema }) {
  const { properties = {}, required = [] } = schema
  const names = Object.keys(properties)
  if (names.length === 0) return <p className={styles.mute}>{schema.anyOf ? <Type schema={schema} /> : 'No fields'}</p>
  return (
    <ul className={styles.fields}>
      {Object.entries(properties).map(([name, field]) => (
        <SchemaField key={name} name={name} schema={field} required={required.includes(name)} />
      ))}
    </ul>
  )
}

interface SchemaFieldProps {
  name: string
  schema: Schema
  required: boolean
  /** For a parameter, where it is sent. */
  place?: string
}

export function SchemaField({ name, schema, required, place }: SchemaFieldProps) {
  const inner = innerObject(schema)
  const limits = boundsOf(schema)
  return (
    <li>
      <code className={styles.name}>{name}</code> <Type schema={schema} />
      {place && <span className={styles.mute}> · {place}</span>}
      {!required && <span className={styles.mute}> · optional</span>}
      {limits && <span className={styles.mute}> · {limits}</span>}
      {schema.description && (
        <div className={styles.meaning}>
          <Prose text={schema.description} />
        </div>
      )}
      {inner && <SchemaFields schema={inner} />}
    </li>
  )
}

/** `list of DemoCard`, `"a" or "b"`, `string or null`. */
export function Type({ schema }: { schema: Schema }): ReactNode {
  const { $ref, anyOf, items, type } = schema
  const values = schema.enum ?? (schema.const === undefined ? undefined : [schema.const])
  if ($ref) return <a href={`#schema-${schemaName($ref)}`}>{schemaName($ref)}</a>
  if (values) return <span className={styles.type}>{values.map((value) => JSON.stringify(value)).join(' or ')}</span>
  if (items)
    return (
      <span className={styles.type}>
        list of <Type schema={items} />
      </span>
    )
  if (anyOf)
    return anyOf.map((one, index) => (
      <span key={JSON.stringify(one)} className={styles.type}>
        {index > 0 && ' or '}
        <Type schema={one} />
      </span>
    ))
  return <span className={styles.type}>{[type ?? 'anything'].flat().join(' or ')}</span>
}

/** The object without a name that is the value, or one of its items. Undefined: there is none. */
function innerObject({ properties, items, anyOf, ...schema }: Schema): Schema | undefined {
  if (properties) return { ...schema, properties }
  if (items) return innerObject(items)
  return anyOf?.map(innerObject).find(Boolean)
}

function boundsOf(schema: Schema): string {
  const { minimum, maximum, minLength, maxLength, maxItems, pattern } = schema
  const said = [
    schema.default === undefined ? '' : `default ${JSON.stringify(schema.default)}`,
    minimum === undefined ? '' : `at least ${minimum}`,
    maximum === undefined ? '' : `at most ${maximum}`,
    minLength === undefined ? '' : `at least ${minLength} characters`,
    maxLength === undefined ? '' : `at most ${maxLength} characters`,
    maxItems === undefined ? '' : `at most ${maxItems} items`,
    pattern === undefined ? '' : `matches ${pattern}`,
  ]
  return said.filter(Boolean).join(', ')
}
