import { useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { call } from '../../api.ts'
import { Failed } from '../../parts/failed.tsx'
import { Loading } from '../../parts/loading.tsx'
import parts from '../../parts/parts.module.css'
import { Prose } from '../../parts/prose.tsx'
import { useTitle } from '../../parts/use-title.ts'
import { type ApiDocument, operationsOf, operationTitle } from './api-document.ts'
import styles from './docs.module.css'
import { OperationView } from './operation-view.tsx'
import { SchemaFields } from './schema-view.tsx'
import { useExampleDemo } from './use-example-demo.ts'

/** The API's documentation, made from its OpenAPI document. */
export function DocsPage() {
  useTitle('API')
  const { data, isPending, error, refetch } = useQuery({
    queryKey: ['openapi'],
    queryFn: () => call('GET /-/openapi.json', {}).then((document: unknown) => document as ApiDocument),
    staleTime: Number.POSITIVE_INFINITY,
  })
  useEffect(() => {
    if (data) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView()
  }, [data])
  if (isPending) return <Loading what="the API" />
  if (error) return <Failed error={error} retry={() => void refetch()} />
  return <Document document={data} />
}

function Document({ document }: { document: ApiDocument }) {
  const demo = useExampleDemo()
  const { description } = document.info
  const wrong = operationsOf(document, document.tags[0]?.name ?? '')[0]?.responses.default?.description
  return (
    <div className={styles.docs}>
      <TableOfContents document={document} />
      <div className={styles.body}>
        <h1>API</h1>
        <p>
          <Prose text={description} /> Examples take it from <code>ORIGAMI_TOKEN</code> in the environment.
        </p>
        <p>
          <a href="/-/openapi.json">openapi.json</a> is the same for programs. <a href="/-/account">Tokens</a> are made
          on the account page.
        </p>
        {wrong && (
          <p>
            Every operation answers <a href="#schema-Error">Error</a> to whatever else goes wrong:{' '}
            {wrong.charAt(0).toLowerCase() + wrong.slice(1)}.
          </p>
        )}
        {document.tags.map((tag) => (
          <section
            key={tag.name}
            id={`tag-${tag.name}`}
            className={styles.group}
            aria-labelledby={`tag-${tag.name}-title`}
          >
            <h2 id={`tag-${tag.name}-title`}>{tag.name}</h2>
            <p>
              <Prose text={tag.description} />
            </p>
            {operationsOf(document, tag.name).map((operation) => (
              <OperationView key={operation.operationId} document={document} operation={operation} demo={demo} />
            ))}
          </section>
        ))}
        <section id="schemas" className={styles.group} aria-labelledby="schemas-title">
          <h2 id="schemas-title">Schemas</h2>
          {Object.entries(document.components.schemas).map(([name, schema]) => (
            <article key={name} id={`schema-${name}`} className={`${parts.sheet} ${styles.operation}`}>
              <h3>
                <a href={`#schema-${name}`}>{name}</a>
              </h3>
              <SchemaFields schema={schema} />
            </article>
          ))}
        </section>
      </div>
    </div>
  )
}

/** Beside the text when there is room, and folded above it otherwise. */
function TableOfContents({ document }: { document: ApiDocument }) {
  return (
    <nav className={styles.contents} aria-label="Contents">
      <details open={matchMedia('(min-width: 800px)').matches}>
        <summary>Contents</summary>
        {document.tags.map(({ name }) => (
          <div key={name}>
            <a href={`#tag-${name}`} className={styles.tag}>
              {name}
            </a>
            <ul>
              {operationsOf(document, name).map(({ operationId }) => (
                <li key={operationId}>
                  <a href={`#${operationId}`}>{operationTitle(operationId)}</a>
                </li>
              ))}
            </ul>
          </div>
        ))}
        <a href="#schemas" className={styles.tag}>
          Schemas
        </a>
      </details>
    </nav>
  )
}
