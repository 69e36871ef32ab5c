import { useEffect } from 'react'

const dash = ' – '

/** What goes on stands before the page's own title, whatever that is by now. */
export function useStatusTitle(words: string | undefined): void {
  useEffect(() => {
    if (!words) return
    document.title = `${words}${dash}${document.title}`
    return () => {
      const { title } = document
      if (title.includes(dash)) document.title = title.slice(title.indexOf(dash) + dash.length)
    }
  }, [words])
}
