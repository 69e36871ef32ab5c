import type { DemoSchema, Input } from '@origami/protocol/demo'
import { useEffect, useRef, useState } from 'react'
import { Demo } from '../demo/demo.tsx'
import { LogView } from '../log/log-view.tsx'
import { Crane } from '../look/crane.tsx'
import { Strip } from '../look/strip.tsx'
import { ApiSnippets } from '../snippets/api-snippets.tsx'
import styles from './runtime-page.module.css'
import { useRuntime } from './use-runtime.ts'

/** The page of a runtime without a web server: `origami serve`, or a bundle that somebody runs. */
export function RuntimePage() {
  const { schema, health, away } = useRuntime()
  const [input, setInput] = useState<Input>({})
  const main = useRef<HTMLElement>(null)
  const [shown, setShown] = useState(() => location.hash.slice(1) || undefined)
  useEffect(() => {
    if (schema) document.title = schema.title
  }, [schema])
  const remember = (id: string | undefined) => {
    history.replaceState(null, '', id ? `#${id}` : location.pathname)
    setShown(id)
  }
  const failed = health?.status === 'SETUP_FAILED'
  return (
    <div className={styles.page}>
      <button type="button" className={styles.skip} onClick={() => main.current?.focus()}>
        Skip to the demo
      </button>
      <header className={styles.header}>
        <Crane />
        <h1>{schema?.title ?? 'Origami'}</h1>
      </header>
      <main ref={main} tabIndex={-1} className={styles.main}>
        {schema?.description && <p className={styles.description}>{schema.description}</p>}
        {away && <Strip kind="wrong">The server does not answer; trying again.</Strip>}
        {!schema && !away && !failed && <Strip kind="busy">The model is being loaded.</Strip>}
        {failed && (
          <>
            <Strip kind="wrong">The model could not be loaded. It is tried again when its file changes.</Strip>
            <LogView text={health.setup?.logs ?? ''} label="What it said" />
          </>
        )}
        {schema && (
          <>
            <Demo
              key={fieldsOf(schema)}
              base=""
              schema={schema}
              prediction={shown}
              onPrediction={remember}
              onInput={setInput}
              blocked={failed ? 'Not loaded' : undefined}
            />
            <details className={styles.api}>
              <summary>Use by API</summary>
              <ApiSnippets base="" schema={schema} input={input} />
            </details>
          </>
        )}
      </main>
    </div>
  )
}

/** The key of the form. When the inputs change it is a new form, in which values that still fit are kept by name. */
const fieldsOf = (schema: DemoSchema): string =>
  JSON.stringify(schema.inputs.map(({ name, component }) => [name, component]))
