import type { ReactNode } from 'react'
import styles from './strip.module.css'

/** The kind of a strip: information, something under way, a success, or an error. */
export type StripKind = 'note' | 'busy' | 'good' | 'wrong'

/** A notice across the page. Screen readers read it when it appears, and an error at once. */
export function Strip({ kind, children }: { kind: StripKind; children: ReactNode }) {
  return (
    <div className={styles.strip} data-kind={kind} role={kind === 'wrong' ? 'alert' : 'status'}>
      <span className={styles.dot} aria-hidden="true" />
      <div className={styles.words}>{children}</div>
    </div>
  )
}
