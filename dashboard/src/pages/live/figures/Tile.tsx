import type { ReactNode } from 'react'
import classes from './Tile.module.css'

export function Tiles({ children }: { readonly children: ReactNode }) {
  return <dl className={classes.tiles}>{children}</dl>
}

interface TileProps {
  readonly name: string
  /** What the figure is of. */
  readonly note: ReactNode
  readonly children: ReactNode
}

/** One figure. */
export function Tile({ name, note, children }: TileProps) {
  return (
    <div className={classes.tile}>
      <dt className={classes.name}>{name}</dt>
      <dd className={classes.value}>{children}</dd>
      <dd className={classes.note}>{note}</dd>
    </div>
  )
}
