import { lazy, Suspense } from 'react'
import styles from './components.module.css'
import type { OutputProps, ViewOf } from './view.ts'

/**
 * Loaded when a demo has Markdown. A bundle that was made before its model returned Markdown does not contain it, and
 * then the plain text is shown.
 */
const Formatted = lazy(async () =>
  import('./late/markdown.tsx').catch(() => ({
    default: ({ text }: { text: string }) => <p className={styles.text}>{text}</p>,
  })),
)

const Output = ({ value }: OutputProps) => (
  <div className={styles.markdown}>
    <Suspense fallback={<p className={styles.text}>{String(value)}</p>}>
      <Formatted text={String(value)} />
    </Suspense>
  </div>
)

export const markdown: ViewOf<'markdown'> = { Output }
