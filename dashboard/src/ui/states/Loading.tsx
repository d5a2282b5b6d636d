import { Skeleton } from '@mantine/core'

interface LoadingProps {
  /** As many lines as the finished page will have, so that nothing jumps. */
  readonly lines?: number
  /** Height of a line in pixels. */
  readonly height?: number
}

/** Grey lines in place of what is being loaded. */
export function Loading({ lines = 4, height = 44 }: LoadingProps) {
  return (
    <div role="status">
      <span className="visually-hidden">Loading</span>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike and never move
        <Skeleton key={line} height={height} mb={8} radius="md" />
      ))}
    </div>
  )
}
