/**
 * The key directory, or a file in it, is not what it must be. The message is one line that begins with the path and says what to do; it
 * never holds any of the file's content. At the start the server exits with status 2; a running server goes on with the keys it has.
 */
export class KeyDirectoryError extends Error {
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`);
    this.name = 'KeyDirectoryError';
  }
}
