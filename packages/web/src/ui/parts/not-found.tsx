import { Link } from '@tanstack/react-router'
import styles from './parts.module.css'
import { useTitle } from './use-title.ts'

/** For what is not there, and for what is not yours to see: the same. */
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
