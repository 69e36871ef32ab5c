import { Strip } from '@origami/demo-ui'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { call, useForgetSession, useSession } from '../api.ts'
import { Ago } from '../parts/ago.tsx'
import { ConfirmButton } from '../parts/confirm.tsx'
import { Failed } from '../parts/failed.tsx'
import { Loading } from '../parts/loading.tsx'
import styles from '../parts/parts.module.css'
import { useAct } from '../parts/use-act.ts'
import { useTitle } from '../parts/use-title.ts'

/** The account: its name, tokens for programs, and signing out. */
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
    </div>
  )
}

function Tokens() {
  const { data, isPending, error, refetch } = useQuery({
    queryKey: ['tokens'],
    queryFn: () => call('GET /-/api/tokens', {}),
  })
  const [made, setMade] = useState<string>()
  const [name, setName] = useState('')
  const { busy, problem, act } = useAct(() => void refetch())
  const make = (event: FormEvent) => {
    event.preventDefault()
    act(async () => {
      const { token } = await call('POST /-/api/tokens', { body: { name } })
      setMade(token)
      setName('')
    })
  }
  return (
    <section className={styles.sheet}>
      <h2>Tokens</h2>
      <p className={styles.mute}>
        For <code>origami deploy</code> and other programs, in <code>ORIGAMI_TOKEN</code>. A token may do what you may.{' '}
        <Link to="/-/docs">The API</Link> is the one these pages use.
      </p>
      {problem && <Strip kind="wrong">{problem}</Strip>}
      {isPending && <Loading what="your tokens" />}
      {error && <Failed error={error} retry={() => void refetch()} />}
      {data?.tokens.length === 0 && <p className={styles.mute}>None yet.</p>}
      <ul className={styles.list}>
        {data?.tokens.map((token) => (
          <li key={token.id} className={styles.row}>
            <span className={styles.grow}>{token.name}</span>
            <span className={styles.mute}>
              {token.used_at ? (
                <>
                  used <Ago at={token.used_at} />
                </>
              ) : (
                'never used'
              )}
            </span>
            <ConfirmButton
              label="Revoke"
              question={`Revoke ${token.name}?`}
              detail="Programs that use it are refused from then on."
              onConfirm={() => act(() => call('DELETE /-/api/tokens/:id', { params: { id: token.id } }))}
            />
          </li>
        ))}
      </ul>
      {made && (
        <p className={styles.code} role="status">
          {made}
          <br />
          It is shown once; keep it now.
        </p>
      )}
      <form className={styles.row} onSubmit={make}>
        <input
          className={`${styles.field} ${styles.grow}`}
          aria-label="Name of the new token"
          placeholder="laptop"
          required
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
        <button type="submit" className={styles.button} disabled={busy}>
          Make a token
        </button>
      </form>
    </section>
  )
}
