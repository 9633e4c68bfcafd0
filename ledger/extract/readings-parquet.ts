/** `readings.parquet` as a file beside the extract, in row groups, so that memory is bounded. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { parquetTable, type ReadingRow } from '../../verify/src/parquet.ts'

export type ReadingsParquet = {
  add(row: ReadingRow): void
  /** Waits until what was added may be let go of. */
  ready(): Promise<void>
  finish(): Promise<void>
}

export function readingsParquet(path: string): ReadingsParquet {
  const out = createWriteStream(path)
  const table = parquetTable((bytes) => void out.write(bytes))
  return {
    add: table.add,
    ready: async () => {
      if (out.writableNeedDrain) await once(out, 'drain')
    },
    finish: async () => {
      table.finish()
      out.end()
      await once(out, 'finish')
    },
  }
}
