import { useState } from 'react'
import classes from './Face.module.css'

interface FaceProps {
  readonly name: string | null | undefined
  /** A path on this server: pages load pictures from nowhere else. */
  readonly imageUrl?: string | null | undefined
  /** In pixels. */
  readonly size?: number
  /** Agents have square corners, people are round. */
  readonly isAgent?: boolean
}

/** A picture, or initials on a colour that is always the same for one name. For the eye only: the name stands beside it. */
export function Face({ name, imageUrl, size = 32, isAgent = false }: FaceProps) {
  const [isBroken, setBroken] = useState(false)
  const style = {
    width: size,
    height: size,
    fontSize: Math.round(size * 0.4),
    borderRadius: isAgent ? size / 4 : '50%',
  }
  if (imageUrl && !isBroken) {
    return <img className={classes.face} style={style} src={imageUrl} alt="" onError={() => setBroken(true)} />
  }
  return (
    <span className={classes.face} style={style} data-hue={hue(name ?? '')} aria-hidden>
      {initials(name ?? '')}
    </span>
  )
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean)
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined]
  return letters.map((word) => [...(word ?? '')][0]?.toUpperCase() ?? '').join('') || '?'
}

function hue(name: string): number {
  let sum = 0
  for (const letter of name) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0
  return sum % 6
}
