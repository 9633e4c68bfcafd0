/** Something the person at the command line can mend: printed as one line, exit code 2 or the one given. */
export class UserError extends Error {
  constructor(
    line: string,
    readonly exitCode: 1 | 2 = 2,
  ) {
    super(line.replaceAll('\n', ' '))
  }
}
