// npm @tus/server on a folder: the peer of bench/upload.py. Prints its port.
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const folder = join(process.argv[2], "peer-files");
mkdirSync(folder, { recursive: true });
const server = new Server({ path: "/files", datastore: new FileStore({ directory: folder }) });
const listening = server.listen({ host: "127.0.0.1", port: 0 }, () => console.log(listening.address().port));
