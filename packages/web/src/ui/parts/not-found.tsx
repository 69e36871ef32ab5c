import { Link } from '@tanstack/react-router'
import styles from './parts.module.css'
import { useTitle } from './use-title.ts'

/** The same page for what does not exist and for what the caller may not see. */
export function NotFound() {
  useTitle('Not here')
  return (
    <div className={styles.empty}>
      <h1>There is nothing here</h1>
      <p>It was moved or removed, or it is not yours to see.</p>
      <Link to="/">To the gallery</Link>
    </div>
  )
}
