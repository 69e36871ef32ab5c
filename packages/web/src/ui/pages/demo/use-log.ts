import { useEffect, useState } from 'react'

const kept = 500_000

/** A log's text as it comes, the end of it. Joins again where it was when the connection breaks. */
export function useLog(address: string): string {
  const [text, setText] = useState('')
  useEffect(() => {
    const gone = new AbortController()
    void follow(address, gone.signal, (part) => setText((before) => (before + part).slice(-kept)))
    return () => {
      gone.abort()
      setText('')
    }
  }, [address])
  return text
}

async function follow(address: string, signal: AbortSignal, on: (part: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  let offset = 0
  while (!signal.aborted) {
    try {
      const { body } = await fetch(`${address}?follow=1&offset=${offset}`, { signal })
      const reader = body?.getReader()
      for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
        offset += part.value.length
        on(decoder.decode(part.value, { stream: true }))
      }
    } catch {
      // It is tried again below.
    }
    await new Promise((resolve) => setTimeout(resolve, 2000))
  }
}
