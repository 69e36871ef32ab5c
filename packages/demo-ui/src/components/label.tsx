import styles from './components.module.css'
import type { OutputProps, ViewOf } from './view.ts'

/** Confidences as bars, best first. From 0 to 1 they are shown as percentages. */
function Output({ value, options }: OutputProps) {
  const all = Object.entries((value ?? {}) as Record<string, number>).toSorted(([, a], [, b]) => b - a)
  const shown = all.slice(0, (options.top as number | undefined) ?? 10)
  const parts = all.every(([, confidence]) => confidence >= 0 && confidence <= 1)
  const most = Math.max(...all.map(([, confidence]) => Math.abs(confidence)), parts ? 1 : 0) || 1
  return (
    <ol className={styles.labels}>
      {shown.map(([name, confidence]) => (
        <li key={name}>
          <span>{name}</span>
          <span className={styles.confidence}>{parts ? percent(confidence) : confidence.toPrecision(3)}</span>
          <span
            className={styles.bar}
            style={{ width: `${(Math.abs(confidence) / most) * 100}%` }}
            aria-hidden="true"
          />
        </li>
      ))}
    </ol>
  )
}

/** A value above zero is never shown as zero. */
const percent = (part: number) => (part > 0 && part < 0.005 ? '< 1 %' : `${Math.round(part * 100)} %`)

export const label: ViewOf<'label'> = { Output }
