import { lazy, Suspense } from 'react'
import styles from './components.module.css'
import type { OutputProps, View } from './view.ts'

/**
 * Loaded when a demo has Markdown; HTML in it is left out. A bundle made before the model gave Markdown lacks this:
 * then the text is shown as it is.
 */
const Formatted = lazy(async () =>
  formatted().catch(() => ({ default: ({ text }: { text: string }) => <p className={styles.text}>{text}</p> })),
)

async function formatted() {
  const [{ default: Markdown }, { default: sanitize }] = await Promise.all([
    import('react-markdown'),
    import('rehype-sanitize'),
  ])
  return { default: ({ text }: { text: string }) => <Markdown rehypePlugins={[sanitize]}>{text}</Markdown> }
}

const Output = ({ value }: OutputProps) => (
  <div className={styles.markdown}>
    <Suspense fallback={<p className={styles.text}>{String(value)}</p>}>
      <Formatted text={String(value)} />
    </Suspense>
  </div>
)

export const markdown: View = { Output }
