import styles from './components.module.css'
import type { InputProps, OutputProps, ViewOf } from './view.ts'

const Input = ({ id, described, invalid, value, onChange }: InputProps) => (
  <input
    id={id}
    className={styles.checkbox}
    type="checkbox"
    aria-describedby={described}
    aria-invalid={invalid}
    checked={value === true}
    onChange={({ target }) => onChange(target.checked)}
  />
)

const Output = ({ value }: OutputProps) => <p className={styles.text}>{value === true ? 'Yes' : 'No'}</p>

export const checkbox: ViewOf<'checkbox'> = { Input, Output, blank: () => false }
