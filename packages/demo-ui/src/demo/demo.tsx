import type { DemoSchema, Input } from '@origami/protocol/demo'
import { type FormEvent, type RefObject, useEffect, useMemo, useRef } from 'react'
import { demoClient } from '../client/client.ts'
import { type DemoRun, isRunActive } from '../client/run.ts'
import { LogView } from '../log/log-view.tsx'
import styles from './demo.module.css'
import { Examples } from './examples.tsx'
import { InputFields } from './fields.tsx'
import { Result } from './result.tsx'
import { RunButton } from './run-button.tsx'
import { sentInput } from './sent-input.ts'
import { emptyInput, useFormInput } from './use-form-input.ts'
import { useRun } from './use-run.ts'
import { useUploads } from './use-uploads.ts'

export interface DemoProps {
  /** The address of the predictions API: `/ann/digits`, or empty at the root of a host. */
  readonly base: string
  readonly schema: DemoSchema
  /** The id of a prediction to show from the start. */
  readonly prediction?: string | undefined
  /** Called with the id of the prediction that is shown, for the page's address. */
  readonly onPrediction?: (id: string | undefined) => void
  /** Called when the shown prediction has ended, now or before. */
  readonly onEnded?: () => void
  /** Called when the server does not answer, or refused a run. Whoever shows the demo's state should ask for it. */
  readonly onUnheard?: () => void
  /** Called with the content of the form, for snippets beside it. */
  readonly onInput?: (input: Input) => void
  /** Why the demo cannot be run now. Undefined when it can. */
  readonly blocked?: string | undefined
}

const nobody = () => undefined

/** Any demo, drawn from its schema: the form, the button, and the output. */
export function Demo(props: DemoProps) {
  const { base, schema, prediction, onPrediction = nobody, onEnded, onUnheard, onInput, blocked } = props
  const { demo, settled } = useUploads(useMemo(() => demoClient(base), [base]))
  const { input, latest, change } = useFormInput(schema, base)
  const form = useRef<HTMLFormElement>(null)
  const output = useRef<HTMLElement>(null)
  const { run, problems, start, cancel } = useRun(demo, schema, prediction, onPrediction)
  useRunNotices(run, onEnded, onUnheard)
  useEffect(() => onInput?.(input), [input, onInput])
  const shownInput = prediction !== undefined && run?.key === prediction ? run.input : undefined
  useEffect(() => {
    if (shownInput) change(() => shownInput)
  }, [shownInput, change])
  useEffect(() => {
    if (problems.length > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }, [problems])
  useEffect(() => {
    if (run?.phase === 'succeeded' && matchMedia('(max-width: 799px)').matches)
      output.current?.scrollIntoView({ block: 'start' })
  }, [run?.phase])
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (blocked || run?.phase === 'sending') return
    const unsendable = unsendableField(form.current)
    if (unsendable) return unsendable.focus()
    start(async () => ((await settled()) ? sentInput(schema, latest.current) : undefined))
  }
  useShortcuts(form, run && isRunActive(run) ? cancel : undefined)
  return (
    <div className={styles.demo}>
      <form ref={form} className={styles.sheet} onSubmit={submit} noValidate aria-label="Input">
        <InputFields schema={schema} input={input} onChange={change} problems={problems} demo={demo} />
        <Examples schema={schema} onPick={(example) => change(() => ({ ...emptyInput(schema), ...example }))} />
        <RunButton run={run} blocked={blocked} onCancel={cancel} />
      </form>
      <section ref={output} className={styles.sheet} aria-label="Output">
        <Result run={run} schema={schema} demo={demo} />
        {run && run.log !== '' && (
          <details className={styles.terminal} open={run.phase === 'failed'}>
            <summary>Terminal</summary>
            <LogView text={run.log} follow label="Terminal" />
          </details>
        )}
      </section>
    </div>
  )
}

/** Reports what happens to a run to whoever shows the demo. */
function useRunNotices(
  run: DemoRun | undefined,
  onEnded: (() => void) | undefined,
  onUnheard: (() => void) | undefined,
): void {
  const ended = run && !isRunActive(run) ? run.key : undefined
  useEffect(() => {
    if (ended !== undefined) onEnded?.()
  }, [ended, onEnded])
  const unheard = run !== undefined && (!run.lineUp || run.reason === 'refused')
  useEffect(() => {
    if (unheard) onUnheard?.()
  }, [unheard, onUnheard])
}

/** Ctrl and Enter (or ⌘ and Enter) run. Esc cancels a run. */
function useShortcuts(form: RefObject<HTMLFormElement | null>, cancel: (() => void) | undefined): void {
  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) form.current?.requestSubmit()
      if (event.key === 'Escape') cancel?.()
    }
    addEventListener('keydown', keys)
    return () => removeEventListener('keydown', keys)
  }, [form, cancel])
}

/** A field whose text is not a value yet, such as incomplete JSON. It reports this by a custom validity. */
const unsendableField = (form: HTMLFormElement | null) =>
  Array.from(form?.querySelectorAll('textarea') ?? []).find(({ validity }) => validity.customError)
