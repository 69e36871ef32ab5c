import type { DemoSchema, Input } from '@origami/protocol/demo'
import { useState } from 'react'
import { sentInput } from '../demo/sent-input.ts'
import { useCopy } from '../look/use-copy.ts'
import styles from './snippets.module.css'

const kinds = ['curl', 'Python', 'JavaScript'] as const
type SnippetKind = (typeof kinds)[number]

/** How a program runs the demo with the present content of the form. Each snippet runs as printed. */
export function ApiSnippets({ base, schema, input }: { base: string; schema: DemoSchema; input: Input }) {
  const [kind, setKind] = useState<SnippetKind>('curl')
  const { copied, copy } = useCopy()
  const text = snippet(kind, `${location.origin}${base}/predictions`, sentInput(schema, input))
  return (
    <section className={styles.snippets} aria-label="Use by API">
      <div className={styles.kinds}>
        {kinds.map((one) => (
          <button key={one} type="button" aria-pressed={one === kind} onClick={() => setKind(one)}>
            {one}
          </button>
        ))}
        <button type="button" className={styles.copy} onClick={() => void copy(text)}>
          {copied ? 'Copied' : 'Copy'}
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section tabIndex={0} aria-label={`${kind} snippet`} className={styles.code}>
        <pre>{text}</pre>
      </section>
    </section>
  )
}

function snippet(kind: SnippetKind, url: string, input: Input): string {
  const body = JSON.stringify({ input })
  if (kind === 'curl')
    return `curl ${url} \\\n  -H 'content-type: application/json' \\\n  -d '${body.replaceAll("'", "'\\''")}'`
  if (kind === 'JavaScript')
    return [
      `const response = await fetch('${url}', {`,
      `  method: 'POST',`,
      `  headers: { 'content-type': 'application/json' },`,
      `  body: JSON.stringify(${JSON.stringify({ input }, null, 2).replaceAll('\n', '\n  ')}),`,
      `})`,
      `const { status, output, error } = await response.json()`,
      `console.log(status, output ?? error)`,
    ].join('\n')
  return [
    `import json`,
    `import urllib.request`,
    ``,
    `body = json.dumps(json.loads(r'''${body.replaceAll("'''", '\\u0027\\u0027\\u0027')}''')).encode()`,
    `request = urllib.request.Request(`,
    `    "${url}", body, {"content-type": "application/json"}`,
    `)`,
    `prediction = json.load(urllib.request.urlopen(request))`,
    `print(prediction["status"], prediction["error"] if prediction["output"] is None else prediction["output"])`,
  ].join('\n')
}
