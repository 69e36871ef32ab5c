/** The size of a picture in pixels, as its header says. */
export interface ImageSize {
  readonly width: number
  readonly height: number
}

/**
 * Reads the size of a picture from the beginning of its bytes, without decoding it. Undefined: the kind is not known,
 * or the size stands further on.
 */
export function imageSize(header: Uint8Array): ImageSize | undefined {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  try {
    for (const { is, size } of kinds) if (is(view)) return size(view)
    return undefined
  } catch (error) {
    // What the header points to is behind the bytes that are here.
    if (error instanceof RangeError) return undefined
    throw error
  }
}

interface Kind {
  readonly is: (view: DataView) => boolean
  readonly size: (view: DataView) => ImageSize | undefined
}

const textAt = (view: DataView, at: number, length: number): string =>
  String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, length))
const begins =
  (text: string, at = 0) =>
  (view: DataView) =>
    view.byteLength >= at + text.length && textAt(view, at, text.length) === text
const uint24 = (view: DataView, at: number): number => view.getUint16(at, true) + view.getUint8(at + 2) * 2 ** 16

const kinds: readonly Kind[] = [
  { is: begins('\x89PNG'), size: (view) => ({ width: view.getUint32(16), height: view.getUint32(20) }) },
  { is: begins('\xff\xd8'), size: jpegSize },
  { is: begins('GIF8'), size: (view) => ({ width: view.getUint16(6, true), height: view.getUint16(8, true) }) },
  { is: begins('WEBP', 8), size: webpSize },
  { is: begins('BM'), size: bmpSize },
  { is: begins('II*\0'), size: (view) => tiffSize(view, true) },
  { is: begins('MM\0*'), size: (view) => tiffSize(view, false) },
  { is: begins('ftyp', 4), size: heifSize },
]

/** Of ISO/IEC 10918-1, B.2: the first frame header. Segments before it are skipped by their length. */
function jpegSize(view: DataView): ImageSize {
  for (let at = 2; ; ) {
    const marker = view.getUint16(at)
    if (marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker))
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) }
    at += marker === 0xffff ? 1 : 2 + view.getUint16(at + 2)
  }
}

/** Of RFC 9649, 2.5 to 2.7. */
function webpSize(view: DataView): ImageSize | undefined {
  const chunk = textAt(view, 12, 4)
  if (chunk === 'VP8X') return { width: uint24(view, 24) + 1, height: uint24(view, 27) + 1 }
  if (chunk === 'VP8 ') return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff }
  if (chunk !== 'VP8L') return undefined
  const bits = view.getUint32(21, true)
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
}

function bmpSize(view: DataView): ImageSize {
  const isOld = view.getUint32(14, true) === 12
  if (isOld) return { width: view.getUint16(18, true), height: view.getUint16(20, true) }
  return { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) }
}

/** Of TIFF 6.0, section 2: the tags 256 and 257 of the first directory. */
function tiffSize(view: DataView, isLittle: boolean): ImageSize {
  const directory = view.getUint32(4, isLittle)
  const found = new Map<number, number>()
  for (let entry = 0; entry < view.getUint16(directory, isLittle); entry += 1) {
    const at = directory + 2 + entry * 12
    const isShort = view.getUint16(at + 2, isLittle) === 3
    const value = isShort ? view.getUint16(at + 8, isLittle) : view.getUint32(at + 8, isLittle)
    found.set(view.getUint16(at, isLittle), value)
  }
  return { width: found.get(256) ?? 0, height: found.get(257) ?? 0 }
}

/** AVIF and HEIC, of ISO/IEC 23008-12, 6.5.3: the largest of the sizes (`ispe`) of what the file holds. */
function heifSize(view: DataView): ImageSize | undefined {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  let largest: ImageSize | undefined
  for (let at = bytes.indexOf(0x69); at >= 0 && at + 16 <= bytes.length; at = bytes.indexOf(0x69, at + 1)) {
    if (textAt(view, at, 4) !== 'ispe') continue
    const size = { width: view.getUint32(at + 8), height: view.getUint32(at + 12) }
    if (!largest || size.width * size.height > largest.width * largest.height) largest = size
  }
  return largest
}
