import type { DemoSchema, Input, Problem } from '@origami/protocol/demo'
import { useId } from 'react'
import type { DemoClient } from '../client/client.ts'
import { views } from '../components/registry.ts'
import styles from './demo.module.css'

interface InputFieldsProps {
  readonly schema: DemoSchema
  readonly input: Input
  /** Changes the input as it is at that time, because an upload may end long after its field was drawn. */
  readonly onChange: (change: (before: Input) => Input) => void
  readonly problems: readonly Problem[]
  readonly demo: DemoClient
}

/** One control for each input, with its label, its description and its error. */
export function InputFields({ schema, input, onChange, problems, demo }: InputFieldsProps) {
  const page = useId()
  return schema.inputs.map((field) => {
    const View = views[field.component].Input
    const problem = problems.find((one) => one.field === field.name)
    const id = `${page}-${field.name}`
    const describedBy = [field.description && `${id}-description`, problem && `${id}-problem`].filter(Boolean).join(' ')
    return (
      <div key={field.name} className={styles.field} data-component={field.component}>
        <label htmlFor={id}>
          {field.label}
          {!field.required && field.default === undefined && <span className={styles.mute}> (optional)</span>}
        </label>
        {View && (
          <View
            id={id}
            described={describedBy === '' ? undefined : describedBy}
            invalid={problem !== undefined}
            required={field.required}
            options={field.options}
            value={input[field.name] ?? null}
            onChange={(value) => onChange((before) => ({ ...before, [field.name]: value }))}
            demo={demo}
            label={field.label}
          />
        )}
        {field.description && (
          <span id={`${id}-description`} className={styles.mute}>
            {field.description}
          </span>
        )}
        {problem && (
          <span id={`${id}-problem`} className={styles.problem} role="alert">
            {problem.message}
          </span>
        )}
      </div>
    )
  })
}
