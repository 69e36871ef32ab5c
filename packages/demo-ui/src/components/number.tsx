import styles from './components.module.css'
import type { InputProps, OutputProps, ViewOf } from './view.ts'

function Input({ id, described, invalid, options, value, onChange }: InputProps) {
  const { min, max, step, integer } = options as { min?: number; max?: number; step?: number; integer?: boolean }
  return (
    <input
      id={id}
      className={styles.field}
      aria-describedby={described}
      aria-invalid={invalid}
      type="number"
      min={min}
      max={max}
      step={step ?? (integer ? 1 : 'any')}
      value={value === null || value === undefined ? '' : Number(value)}
      onChange={({ target }) => onChange(target.value === '' ? null : target.valueAsNumber)}
    />
  )
}

const Output = ({ value }: OutputProps) => (
  <p className={styles.number}>{typeof value === 'number' ? value.toLocaleString() : String(value)}</p>
)

export const number: ViewOf<'number'> = { Input, Output }
