import styles from './components.module.css'
import type { InputProps, ViewOf } from './view.ts'

function Input({ id, described, invalid, required, options, value, onChange }: InputProps) {
  const choices = options.choices as readonly (string | number)[]
  const index = choices.indexOf(value as string | number)
  return (
    <select
      id={id}
      className={styles.field}
      aria-describedby={described}
      aria-invalid={invalid}
      value={index < 0 ? '' : index}
      onChange={({ target }) => onChange(target.value === '' ? null : choices[Number(target.value)])}
    >
      {(index < 0 || !required) && <option value="">{required ? 'Choose…' : 'None'}</option>}
      {choices.map((choice, at) => (
        <option key={choice} value={at}>
          {choice}
        </option>
      ))}
    </select>
  )
}

export const select: ViewOf<'select'> = { Input }
