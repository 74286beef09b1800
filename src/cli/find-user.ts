import { canonicalUsername } from '../accounts/canonical-username.ts';
import type { User, Users } from '../accounts/user.ts';
import { Refused } from './failures.ts';

/** The user of this identifier (`sub`) or, where none has it, of this name. @throws Refused when there is none. */
export async function findUser(users: Users, idOrName: string): Promise<User> {
  const name = canonicalUsername(idOrName);
  const user = (await users.find(idOrName)) ?? (name === undefined ? undefined : await users.findByUsername(name));
  if (user === undefined) {
    throw new Refused(`there is no user ${JSON.stringify(idOrName)}; keyturn user list shows those there are.`);
  }
  return user;
}
