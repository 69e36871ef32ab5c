import { Link, useNavigate } from '@tanstack/react-router'
import { call, useForgetSession, useSession } from '../api.ts'
import { Failed } from '../parts/failed.tsx'
import { Loading } from '../parts/loading.tsx'
import styles from '../parts/parts.module.css'
import { useTitle } from '../parts/use-title.ts'
import { Sessions } from './sessions.tsx'
import { Tokens } from './tokens.tsx'

/** The account: its name, tokens for programs, where it is signed in, and signing out. */
export function AccountPage() {
  useTitle('Account')
  const { data: session, error, refetch } = useSession()
  const forget = useForgetSession()
  const navigate = useNavigate()
  const account = session?.account
  if (!session) return error ? <Failed error={error} retry={() => void refetch()} /> : <Loading what="your account" />
  if (!account)
    return (
      <div className={styles.empty}>
        <p>You are not signed in.</p>
        <Link to="/-/sign-in">Sign in</Link>
      </div>
    )
  const leave = async () => {
    await call('DELETE /-/api/session', {})
    await forget()
    await navigate({ to: '/' })
  }
  return (
    <div className={styles.stack}>
      <div className={styles.row}>
        <h1 className={styles.grow}>{account.handle}</h1>
        <button type="button" className={styles.button} onClick={() => void leave()}>
          Sign out
        </button>
      </div>
      {!account.may_deploy && (
        <p>You can try every demo. To deploy your own, ask the owner of this server to list your account.</p>
      )}
      {account.may_deploy && <Tokens />}
      <Sessions />
    </div>
  )
}
