import styles from './components.module.css'
import type { InputProps, OutputProps, ViewOf } from './view.ts'

function Input({ id, described, invalid, options, value, onChange }: InputProps) {
  const shared = {
    id,
    className: styles.field,
    'aria-describedby': described,
    'aria-invalid': invalid,
    placeholder: options.placeholder as string | undefined,
    maxLength: options.maxLength as number | undefined,
    value: String(value ?? ''),
  }
  return options.multiline ? (
    <textarea {...shared} rows={4} onChange={(event) => onChange(event.target.value)} />
  ) : (
    <input {...shared} type="text" onChange={(event) => onChange(event.target.value)} />
  )
}

const Output = ({ value }: OutputProps) => <p className={styles.text}>{String(value)}</p>

/** A required text that was left empty is sent as the empty text. */
export const text: ViewOf<'text'> = { Input, Output, blank: (required) => (required ? '' : undefined) }
