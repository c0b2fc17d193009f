"""The walls around a child, each built with the kernel's own system calls (Linux on x86-64 and ARM64).

`namespaces` (user, network, process and IPC namespaces), `files` (Landlock), `filter` (seccomp: no sockets, no new
programs or processes, no changes to owners and modes) and `rlimits`. Each function builds one wall and raises
OSError when the kernel does not give it; nothing here decides whether a missing wall matters.
Sources: landlock(7), seccomp(2), user_namespaces(7), pid_namespaces(7), getrlimit(2).
"""

import ctypes
import errno
import os
import platform
import resource
import struct
from collections.abc import Iterable

_libc = ctypes.CDLL(None, use_errno=True)
MACHINE = platform.machine()

# --- small system-call helpers


def _call(number: int, *arguments: object) -> int:
    """Make a system call by number; OSError with its code when it fails."""
    _libc.syscall.restype = ctypes.c_long
    result = int(_libc.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _prctl(option: int, *arguments: int) -> None:
    padded = [ctypes.c_ulong(a) for a in (*arguments, 0, 0, 0, 0)[:4]]
    if _libc.prctl(ctypes.c_int(option), *padded) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


# --- namespaces and privileges

_NEW = {"user": 0x10000000, "net": 0x40000000, "pid": 0x20000000, "ipc": 0x08000000}


def own_namespaces() -> list[str]:
    """Leave the machine's network, processes and shared memory; return the namespaces that are now our own.

    Needs a process with one thread. The process namespace begins with the next fork. OSError when the kernel
    forbids user namespaces to this user (`kernel.apparmor_restrict_unprivileged_userns`, for one).
    """
    wanted = dict(_NEW)
    try:
        _unshare(wanted)
    except OSError:
        wanted = {k: v for k, v in _NEW.items() if k in ("user", "net")}
        _unshare(wanted)
    return sorted(wanted)


def _unshare(wanted: dict[str, int]) -> None:
    flags = 0
    for flag in wanted.values():
        flags |= flag
    if _libc.unshare(ctypes.c_int(flags)) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the one that started it dies (PR_SET_PDEATHSIG)."""
    _prctl(1, 9)


def no_new_privileges() -> None:
    """Give up for ever any gain of rights by starting a program (PR_SET_NO_NEW_PRIVS)."""
    _prctl(38, 1)


def undumpable() -> None:
    """Leave no core file and let nobody attach (PR_SET_DUMPABLE 0)."""
    _prctl(4, 0)


def drop_capabilities() -> None:
    """Give up every capability, those inside our own user namespace too (capset(2), version 3)."""
    header = struct.pack("=Ii", 0x20080522, 0)
    _call({"x86_64": 126, "aarch64": 91}[MACHINE], header, bytes(24))


def rlimits(*, memory: int, cpu_s: int, file_bytes: int, threads: int | None) -> None:
    """Set the kernel's limits: private memory, processor time, size of a file, open files, no core.

    `memory` bounds RLIMIT_DATA (what a program really asks for); the address space gets 3 GiB more, because
    libraries are mapped and threads reserve much that they never touch. `threads` counts for this user in this
    user namespace, so it is None where we have none of our own.
    """

    def at_most(what: int, most: int) -> None:
        held = resource.getrlimit(what)[1]
        most = most if held == resource.RLIM_INFINITY else min(most, held)
        resource.setrlimit(what, (most, most))

    at_most(resource.RLIMIT_DATA, memory)
    at_most(resource.RLIMIT_AS, memory + (3 << 30))
    at_most(
        resource.RLIMIT_CPU, cpu_s
    )  # soft and hard alike: the first process of a namespace ignores a warning
    at_most(resource.RLIMIT_FSIZE, file_bytes)
    at_most(resource.RLIMIT_NOFILE, 256)
    at_most(resource.RLIMIT_CORE, 0)
    at_most(resource.RLIMIT_MEMLOCK, 0)
    at_most(resource.RLIMIT_MSGQUEUE, 0)
    if threads is not None:
        at_most(resource.RLIMIT_NPROC, threads)


# --- Landlock: which files

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = 1, 2, 4, 8, 16, 32
MAKE_DIR, MAKE_REG = 1 << 7, 1 << 8
TRUNCATE = 1 << 14
_FS_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_NET_BIND_AND_CONNECT = 3
_SCOPE_SOCKET_AND_SIGNAL = 3


def landlock_abi() -> int:
    """Return the kernel's Landlock version, 0 when it has none or has it switched off."""
    try:
        return _call(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    except OSError:
        return 0


def files(read: Iterable[str], write: Iterable[str]) -> int:
    """Let this process read only `read` and change only `write` (folders with all below, or files).

    Everything the kernel's version can restrict is restricted: TCP from version 4, devices from 5, abstract
    sockets and signals to outsiders from 6. A path that is not there is passed over. Returns the version; OSError
    when there is no Landlock. Needs `no_new_privileges` first.
    """
    abi = landlock_abi()
    if abi < 1:
        raise OSError(errno.ENOSYS, "this kernel has no Landlock")
    handled = _FS_BY_ABI[min(abi, 5)]
    attributes = struct.pack("=Q", handled)
    if abi >= 4:
        attributes += struct.pack("=Q", _NET_BIND_AND_CONNECT)
    if abi >= 6:
        attributes += struct.pack("=Q", _SCOPE_SOCKET_AND_SIGNAL)
    ruleset = _call(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    try:
        for path in read:
            _allow(ruleset, path, READ_FILE | READ_DIR)
        for path in write:
            rights = (
                READ_FILE | READ_DIR | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | TRUNCATE
            )
            _allow(ruleset, path, rights & handled)
        _call(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)
    return abi


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= READ_FILE | WRITE_FILE | TRUNCATE
        rule = struct.pack("=Qi", rights, handle)
        _call(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(1), rule, ctypes.c_uint32(0))
    finally:
        os.close(handle)


# --- seccomp: which system calls

_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_COLUMN = {"x86_64": 0, "aarch64": 1}
# Numbers on x86-64 and ARM64; -1 where an architecture has none. All of these are answered "not permitted".
_FORBIDDEN = {
    # the network, and path-named sockets of databases and daemons, which Landlock and namespaces leave open
    "socket": (41, 198),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # other programs and processes
    "fork": (57, -1),
    "vfork": (58, -1),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setattr": (314, 274),
    # mounts and namespaces
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    # what Landlock does not guard: modes, owners, times, attributes, truncation by name, handles
    "chmod": (90, -1),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, -1),
    "fchown": (93, 55),
    "lchown": (94, -1),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "utime": (132, -1),
    "utimes": (235, -1),
    "futimesat": (261, -1),
    "utimensat": (280, 88),
    "truncate": (76, 45),
    "open_by_handle_at": (304, 265),
    "symlink": (88, -1),
    "symlinkat": (266, 36),
    "link": (86, -1),
    "linkat": (265, 37),
    "mknod": (133, -1),
    "mknodat": (259, 33),
    # memory outside the limits
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    # parts of the kernel that opening a file never needs
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "quotactl": (179, 60),
    "acct": (163, 89),
    "syslog": (103, 116),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "personality": (135, 92),
    "fanotify_init": (300, 262),
    "iopl": (172, -1),
    "ioperm": (173, -1),
}
_CLONE, _CLONE3, _TGKILL, _PRLIMIT = (56, 220), (435, 435), (234, 131), (302, 261)
_CLONE_THREAD = 0x00010000
_LOAD, _JUMP_EQUAL, _JUMP_GREATER_OR_EQUAL, _JUMP_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_YES, _KILL = 0x7FFF0000, 0x80000000
_NO, _UNKNOWN = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS


def _program() -> list[tuple[int, int, int, int]]:
    """Return the filter as BPF instructions (code, jump if true, jump if false, operand)."""
    column = _COLUMN[MACHINE]
    own = os.getpid()
    steps: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, 4),
        (_JUMP_EQUAL, 1, 0, _ARCH[MACHINE]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
    ]
    if MACHINE == "x86_64":  # the x32 numbers, which would step round every check below
        steps += [(_JUMP_GREATER_OR_EQUAL, 0, 1, 0x40000000), (_RETURN, 0, 0, _KILL)]
    for numbers in _FORBIDDEN.values():
        if numbers[column] >= 0:
            steps += [(_JUMP_EQUAL, 0, 1, numbers[column]), (_RETURN, 0, 0, _NO)]
    # clone3 hides its flags from a filter: glibc then falls back to clone, where a thread is told from a process.
    steps += [(_JUMP_EQUAL, 0, 1, _CLONE3[column]), (_RETURN, 0, 0, _UNKNOWN)]
    steps += [
        (_JUMP_EQUAL, 0, 4, _CLONE[column]),
        (_LOAD, 0, 0, 16),
        (_JUMP_BITS, 0, 1, _CLONE_THREAD),
        (_RETURN, 0, 0, _YES),
        (_RETURN, 0, 0, _NO),
    ]
    for number, allowed in ((_TGKILL[column], own), (_PRLIMIT[column], 0)):
        steps += [
            (_JUMP_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, 16),
            (_JUMP_EQUAL, 0, 1, allowed),
            (_RETURN, 0, 0, _YES),
            (_RETURN, 0, 0, _NO),
        ]
    steps.append((_RETURN, 0, 0, _YES))
    return steps


def filter_calls() -> None:
    """Refuse every system call in the list above from now on, for this process and its threads.

    OSError when the kernel has no seccomp or this machine is neither x86-64 nor ARM64. Needs `no_new_privileges`.
    """
    if MACHINE not in _ARCH:
        raise OSError(errno.ENOSYS, f"no list of system calls for {MACHINE}")
    steps = _program()
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(steps), ctypes.addressof(buffer))
    held = ctypes.create_string_buffer(program, len(program))
    if _libc.prctl(ctypes.c_int(22), ctypes.c_ulong(2), ctypes.c_void_p(ctypes.addressof(held)), 0, 0) != 0:
        code_ = ctypes.get_errno()
        raise OSError(code_, os.strerror(code_))
