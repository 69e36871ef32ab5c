import { useMemo, useRef } from 'react'
import type { DemoClient } from '../client/client.ts'

/** The client, and `settled`, which resolves once no upload is under way: to false when one failed. */
export function useUploads(client: DemoClient): { demo: DemoClient; settled: () => Promise<boolean> } {
  const pending = useRef(new Set<Promise<string>>())
  return useMemo(() => {
    const upload: DemoClient['upload'] = (...file) => {
      const sent = client.upload(...file)
      const forget = () => pending.current.delete(sent)
      pending.current.add(sent)
      void sent.then(forget, forget)
      return sent
    }
    const settled = async () =>
      (await Promise.allSettled(pending.current)).every(({ status }) => status === 'fulfilled')
    return { demo: { ...client, upload }, settled }
  }, [client])
}
