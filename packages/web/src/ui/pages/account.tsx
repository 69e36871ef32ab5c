import type { TokenInfo } from '@origami/protocol/control'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { change, get, useForgetSession, useSession } from '../api.ts'
import styles from '../parts/parts.module.css'
import { useTitle } from '../parts/use-title.ts'

/** Who one is, tokens for programs, and the way out. */
export function Account() {
  useTitle('Account')
  const { data: session } = useSession()
  const forget = useForgetSession()
  const navigate = useNavigate()
  const account = session?.account
  if (!session) return <p className={styles.mute}>Loading…</p>
  if (!account) return <p>You are not signed in.</p>
  const leave = async () => {
    await change('DELETE', '/-/api/session')
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
  const { data, refetch } = useQuery({ queryKey: ['tokens'], queryFn: () => get<{ tokens: TokenInfo[] }>('/-/api/tokens') })
  const [made, setMade] = useState<string>()
  const [name, setName] = useState('')
  const make = async (event: FormEvent) => {
    event.preventDefault()
    const { token } = await change<{ token: string }>('POST', '/-/api/tokens', { name })
    setMade(token)
    setName('')
    await refetch()
  }
  const revoke = async (id: string) => {
    await change('DELETE', `/-/api/tokens/${id}`)
    await refetch()
  }
  return (
    <section className={styles.sheet}>
      <h2>Tokens</h2>
      <p className={styles.mute}>
        For `origami deploy` and other programs, in ORIGAMI_TOKEN. A token may do what you may. <Link to="/-/docs">The API</Link>{' '}
        is the one these pages use.
      </p>
      <ul className={styles.list}>
        {data?.tokens.map((token) => (
          <li key={token.id} className={styles.row}>
            <span className={styles.grow}>{token.name}</span>
            <span className={styles.mute}>
              {token.used_at ? `used ${new Date(token.used_at).toLocaleDateString()}` : 'never used'}
            </span>
            <button type="button" className={styles.button} onClick={() => void revoke(token.id)}>
              Revoke
            </button>
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
      <form className={styles.row} onSubmit={(event) => void make(event)}>
        <input
          className={`${styles.field} ${styles.grow}`}
          aria-label="Name of the new token"
          placeholder="laptop"
          required
          value={name}
          onChange={({ target }) => setName(target.value)}
        />
        <button type="submit" className={styles.button}>
          Make a token
        </button>
      </form>
    </section>
  )
}
