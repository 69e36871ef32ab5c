import { Strip } from '@origami/demo-ui'
import type { TokenInfo, TokenScope } from '@origami/protocol/control'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { call } from '../api.ts'
import { Ago } from '../parts/ago.tsx'
import { ConfirmButton } from '../parts/confirm.tsx'
import { Failed } from '../parts/failed.tsx'
import { Loading } from '../parts/loading.tsx'
import styles from '../parts/parts.module.css'
import { type Acting, useAct } from '../parts/use-act.ts'

/** The account's tokens for programs, and a form that makes one. */
export function Tokens() {
  const { data, isPending, error, refetch } = useQuery({
    queryKey: ['tokens'],
    queryFn: () => call('GET /-/api/tokens', {}),
  })
  const acting = useAct(() => void refetch())
  const { problem, act } = acting
  return (
    <section className={styles.sheet} aria-label="Tokens">
      <h2>Tokens</h2>
      <p className={styles.mute}>
        For <code>origami deploy</code> and other programs, in <code>ORIGAMI_TOKEN</code>.{' '}
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
            <TokenFacts token={token} />
            <ConfirmButton
              label="Revoke"
              question={`Revoke ${token.name}?`}
              detail="Programs that use it are refused from then on."
              onConfirm={() => act(() => call('DELETE /-/api/tokens/:id', { params: { id: token.id } }))}
            />
          </li>
        ))}
      </ul>
      <NewToken acting={acting} />
    </section>
  )
}

function TokenFacts({ token: { scopes, used_at, expires_at } }: { token: TokenInfo }) {
  const expired = expires_at !== null && Date.parse(expires_at) <= Date.now()
  return (
    <span className={styles.mute}>
      {scopes.join(', ')}; {used_at ? <>used {<Ago at={used_at} />}</> : 'never used'}
      {expires_at && (expired ? '; expired' : `; until ${new Date(expires_at).toLocaleDateString()}`)}
    </span>
  )
}

/** What a token may do, in the words of the form. */
const scopeLabels: Readonly<Record<TokenScope, string>> = {
  run: 'run demos',
  deploy: 'deploy and change demos',
  admin: 'tokens, sessions, and what the owner of a server may',
}
const scopeNames = Object.keys(scopeLabels) as TokenScope[]

function NewToken({ acting: { busy, act } }: { acting: Acting }) {
  const [made, setMade] = useState<string>()
  const [name, setName] = useState('')
  const [days, setDays] = useState('365')
  const [scopes, setScopes] = useState<readonly TokenScope[]>(['run', 'deploy'])
  const make = (event: FormEvent) => {
    event.preventDefault()
    act(async () => {
      const body = { name, scopes: [...scopes], days: days === '' ? null : Number(days) }
      setMade((await call('POST /-/api/tokens', { body })).token)
      setName('')
    })
  }
  const choose = (scope: TokenScope, isChosen: boolean) =>
    setScopes(scopeNames.filter((one) => (one === scope ? isChosen : scopes.includes(one))))
  return (
    <>
      {made && (
        <p className={styles.code} role="status">
          {made}
          <br />
          It is shown once; keep it now.
        </p>
      )}
      <form className={styles.stack} onSubmit={make}>
        <div className={styles.row}>
          <input
            className={`${styles.field} ${styles.grow}`}
            aria-label="Name of the new token"
            placeholder="laptop"
            required
            value={name}
            onChange={({ target }) => setName(target.value)}
          />
          <select
            className={styles.field}
            style={{ width: 'auto' }}
            aria-label="How long it is good for"
            value={days}
            onChange={({ target }) => setDays(target.value)}
          >
            <option value="30">30 days</option>
            <option value="90">90 days</option>
            <option value="365">a year</option>
            <option value="">until revoked</option>
          </select>
          <button type="submit" className={styles.button} disabled={busy || scopes.length === 0}>
            Make a token
          </button>
        </div>
        <div className={styles.row}>
          <span className={styles.mute}>It may</span>
          {scopeNames.map((scope) => (
            <label key={scope} className={styles.mute}>
              <input
                type="checkbox"
                checked={scopes.includes(scope)}
                onChange={({ target }) => choose(scope, target.checked)}
              />{' '}
              {scopeLabels[scope]}
            </label>
          ))}
        </div>
      </form>
    </>
  )
}
