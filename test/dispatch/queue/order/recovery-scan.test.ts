import { describe, expect, test } from 'vitest'
import { RecoveryScan } from '../../../../src/dispatch/queue/order/recovery-scan.ts'

const END = { conversationId: 'conv_4', seq: '100' }

function started(): RecoveryScan {
  const scan = new RecoveryScan()
  scan.start()
  return scan
}

describe('a recovery scan', () => {
  test('is inactive at first, and takes nothing', () => {
    const scan = new RecoveryScan()
    expect(scan).toMatchObject({ isActive: false, isStarting: false, isOver: false, after: null, newSince: '0' })
    expect(scan.advance(['conv_1'], END)).toEqual([])
  })

  test('starts before the first conversation, and learns its end from the first page', () => {
    const scan = started()
    expect(scan).toMatchObject({ isActive: true, isStarting: true, after: '', newSince: '0' })
    scan.advance(['conv_1'], END)
    expect(scan).toMatchObject({ isStarting: false, after: 'conv_1', newSince: '100' })
  })

  test('keeps its first end, and leaves out conversations after it', () => {
    const scan = started()
    scan.advance(['conv_1', 'conv_2'], END)
    const later = { conversationId: 'conv_9', seq: '900' }
    expect(scan.advance(['conv_3', 'conv_5'], later)).toEqual(['conv_3'])
    expect(scan.advance(['conv_4', 'conv_5'], later)).toEqual(['conv_4'])
    expect([scan.after, scan.newSince]).toEqual([null, '100'])
  })

  test.each<[string, string[]]>([
    ['its last conversation is listed', ['conv_1', 'conv_4']],
    ['a page is empty', []],
  ])('is over when %s and replays are due', (_, ids) => {
    const scan = started()
    scan.advance(ids, END)
    expect([scan.isOver, scan.after]).toEqual([false, null])
    scan.replaysMadeDue()
    expect([scan.isOver, scan.mustMakeReplaysDue]).toEqual([true, false])
  })

  test('will list what lies between its place and its end', () => {
    const scan = started()
    expect(scan.willList('conv_9')).toBe(true)
    scan.advance(['conv_1', 'conv_2'], END)
    expect(['conv_2', 'conv_3', 'conv_4', 'conv_5'].map((id) => scan.willList(id))).toEqual([false, true, true, false])
    scan.stop()
    expect([scan.willList('conv_3'), scan.mustMakeReplaysDue]).toEqual([false, false])
  })
})
