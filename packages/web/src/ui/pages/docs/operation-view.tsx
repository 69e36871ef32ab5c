import { useCopy } from '@origami/demo-ui'
import parts from '../../parts/parts.module.css'
import { Prose } from '../../parts/prose.tsx'
import {
  type ApiDocument,
  type Operation,
  operationTitle,
  type Parameter,
  type Schema,
  schemaName,
} from './api-document.ts'
import { curl, type ExampleDemo } from './curl.ts'
import styles from './docs.module.css'
import { SchemaField, SchemaFields, Type } from './schema-view.tsx'

interface Props {
  document: ApiDocument
  operation: Operation
  demo: ExampleDemo
}

/** One operation: who may call it, its parameters and answers, and a command that calls it. */
export function OperationView({ document, operation, demo }: Props) {
  const { operationId, method, path, summary, description, requestBody } = operation
  const title = operationTitle(operationId)
  const [type, body] = Object.entries(requestBody?.content ?? {})[0] ?? []
  const answers = Object.entries(operation.responses).filter(([status]) => status !== 'default')
  const line = curl(document.servers[0]?.url ?? location.origin, operation, demo)
  return (
    <article id={operationId} className={`${parts.sheet} ${styles.operation}`} aria-labelledby={`${operationId}-title`}>
      <header>
        <h3 id={`${operationId}-title`}>
          <a href={`#${operationId}`}>{title}</a>
        </h3>
        <p>
          <code className={styles.method} data-method={method}>
            {method.toUpperCase()}
          </code>{' '}
          <code>{path}</code>
        </p>
        <p>
          <Prose text={`${summary}. ${description ?? ''}`} />
        </p>
        <p className={styles.mute}>
          Who: <Prose text={operation['x-origami-who']} />
        </p>
      </header>
      {operation.parameters.length > 0 && <Parameters all={operation.parameters} />}
      {body && (
        <section>
          <h4>Body</h4>
          {type === '*/*' ? (
            <p className={styles.mute}>The bytes, with their own content-type</p>
          ) : (
            <Named document={document} schema={body.schema} />
          )}
        </section>
      )}
      <section>
        <h4>Answers</h4>
        <ul className={styles.fields}>
          {answers.map(([status, answer]) => (
            <li key={status}>
              <code className={styles.name}>{status}</code> <Prose text={answer.description} />
              {Object.entries(answer.content ?? {}).map(([media, { schema }]) => (
                <span key={media}>
                  {' · '}
                  {media === 'application/json' && schema.$ref ? (
                    <Type schema={schema} />
                  ) : (
                    <span className={styles.type}>{media}</span>
                  )}
                </span>
              ))}
              {status.startsWith('2') && (
                <Unfolded document={document} schema={answer.content?.['application/json']?.schema} />
              )}
            </li>
          ))}
        </ul>
      </section>
      <Line label={`curl for ${title}`} text={line} />
    </article>
  )
}

function Parameters({ all }: { all: Parameter[] }) {
  const places = { path: 'in the path', query: 'in the query', header: 'in a header' }
  return (
    <section>
      <h4>Parameters</h4>
      <ul className={styles.fields}>
        {all.map(({ name, in: place, description, required, schema }) => (
          <SchemaField
            key={`${place} ${name}`}
            name={name}
            required={required ?? false}
            place={places[place]}
            schema={{ ...schema, ...(description ? { description } : {}) }}
          />
        ))}
      </ul>
    </section>
  )
}

/** A schema by its name, with its fields below. */
function Named({ document, schema }: { document: ApiDocument; schema: Schema }) {
  return (
    <>
      <p>
        <Type schema={schema} />
      </p>
      <SchemaFields schema={resolved(document, schema)} />
    </>
  )
}

function Unfolded({ document, schema }: { document: ApiDocument; schema: Schema | undefined }) {
  if (!schema?.$ref) return null
  const shape = resolved(document, schema)
  if (Object.keys(shape.properties ?? {}).length === 0) return null
  return (
    <details>
      <summary>Fields of {schemaName(schema.$ref)}</summary>
      <SchemaFields schema={shape} />
    </details>
  )
}

function resolved({ components }: ApiDocument, schema: Schema): Schema {
  return schema.$ref ? (components.schemas[schemaName(schema.$ref)] ?? schema) : schema
}

function Line({ label, text }: { label: string; text: string }) {
  const { copied, copy } = useCopy()
  return (
    <section>
      <div className={styles.over}>
        <h4>Example</h4>
        <button type="button" className={styles.copy} aria-label={`Copy ${label}`} onClick={() => void copy(text)}>
          {copied ? 'Copied' : 'Copy'}
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section tabIndex={0} aria-label={label} className={styles.code}>
        <pre>{text}</pre>
      </section>
    </section>
  )
}
