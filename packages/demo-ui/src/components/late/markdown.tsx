import Markdown from 'react-markdown'
import sanitize from 'rehype-sanitize'

/** Shows formatted Markdown. HTML in it is left out. */
const Formatted = ({ text }: { text: string }) => <Markdown rehypePlugins={[sanitize]}>{text}</Markdown>

export default Formatted
