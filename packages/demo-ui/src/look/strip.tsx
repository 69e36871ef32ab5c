import type { ReactNode } from 'react'
import styles from './strip.module.css'

/**
 * What a strip is about: something to know, something that goes on, something that went well, something that is wrong.
 */
export type StripKind = 'note' | 'busy' | 'good' | 'wrong'

/** A notice across the page. Read out when it comes; a wrong one at once. */
export function Strip({ kind, children }: { kind: StripKind; children: ReactNode }) {
  return (
    <div className={styles.strip} data-kind={kind} role={kind === 'wrong' ? 'alert' : 'status'}>
      <span className={styles.dot} aria-hidden="true" />
      <div className={styles.words}>{children}</div>
    </div>
  )
}
