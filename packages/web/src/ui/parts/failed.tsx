import { Link } from '@tanstack/react-router'
import { ApiError } from '../api.ts'
import styles from './parts.module.css'

/** What stands where something could not be had: the server's words, and the way on. */
export function Failed({ error, retry }: { error: Error; retry: () => void }) {
  const signIn = error instanceof ApiError && error.status === 401
  return (
    <div className={styles.empty} role="alert">
      <p>{error.message}</p>
      {signIn ? (
        <Link to="/-/sign-in">Sign in</Link>
      ) : (
        <button type="button" className={styles.button} onClick={retry}>
          Try again
        </button>
      )}
    </div>
  )
}
