import styles from './components.module.css'
import type { InputProps, ViewOf } from './view.ts'

function Input({ id, described, invalid, options, value, onChange }: InputProps) {
  const { min, max, step, integer } = options as { min: number; max: number; step?: number; integer?: boolean }
  const shown = typeof value === 'number' ? value : min
  return (
    <div className={styles.slider}>
      <input
        id={id}
        type="range"
        aria-describedby={described}
        aria-invalid={invalid}
        min={min}
        max={max}
        step={step ?? (integer ? 1 : (max - min) / 100)}
        value={shown}
        onChange={({ target }) => onChange(target.valueAsNumber)}
      />
      <output htmlFor={id}>{Number(shown.toPrecision(4))}</output>
    </div>
  )
}

export const slider: ViewOf<'slider'> = { Input }
