import { Crane, Strip } from '@origami/demo-ui'
import { Link, Outlet } from '@tanstack/react-router'
import { useSession } from '../api.ts'
import styles from './parts.module.css'

/** The frame of every page. */
export function Shell() {
  const { data: session, isError } = useSession()
  const account = session?.account
  return (
    <>
      <a className={styles.skip} href="#main">
        Skip to the content
      </a>
      <header className={styles.bar}>
        <Link to="/" className={styles.home}>
          <Crane />
          Origami
        </Link>
        <nav aria-label="Site">
          {account?.may_deploy && (
            <>
              <Link to="/-/mine">My demos</Link>
              <Link to="/-/new" className={styles.button}>
                New demo
              </Link>
            </>
          )}
          {account ? <Link to="/-/account">{account.handle}</Link> : session && <Link to="/-/sign-in">Sign in</Link>}
        </nav>
      </header>
      <div className={styles.notices}>
        {isError && <Strip kind="wrong">The server does not answer; trying again.</Strip>}
        {session?.daemon === false && (
          <Strip kind="wrong">The daemon does not answer just now. Nothing that waits is lost.</Strip>
        )}
      </div>
      <main id="main" className={styles.main} tabIndex={-1}>
        <Outlet />
      </main>
    </>
  )
}
