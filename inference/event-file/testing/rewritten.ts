/** An event file written again by a stranger who keeps schema and header, with his changes to the columns. */

import { zstdDecompressSync } from 'node:zlib'
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { asyncBufferFromFile } from 'hyparquet/src/node.js'
import { parquetWriteFile } from 'hyparquet-writer'
import { columnNames, eventSchema } from '../event-columns.ts'

/** `change` gets every column by itself and changes it in place. Returns `to`. */
export async function rewritten(
  from: string,
  to: string,
  change: (column: unknown[], name: string) => void,
): Promise<string> {
  const file = await asyncBufferFromFile(from)
  const metadata = await parquetMetadataAsync(file)
  const rows = await parquetReadObjects({
    file,
    metadata,
    compressors: { ZSTD: (input) => zstdDecompressSync(input) },
  })
  parquetWriteFile({
    filename: to,
    schema: [...eventSchema],
    kvMetadata: metadata.key_value_metadata ?? [],
    columnData: columnNames.map((name) => {
      const data = rows.map((row): unknown => row[name])
      change(data, name)
      return { name, data }
    }),
  })
  return to
}
