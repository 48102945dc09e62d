using System.Runtime.InteropServices;

namespace Sketch.Storage.Embedded;

/// <summary>
/// Linux's Landlock: a process gives up every file and connection that it has not listed, for itself and what it starts, for good.
/// See https://docs.kernel.org/userspace-api/landlock.html.
/// </summary>
internal sealed partial class Landlock : IDisposable
{
    private const int CreateRuleset = 444;
    private const int AddRule = 445;
    private const int RestrictSelf = 446;
    private const ulong Execute = 1 << 0;
    private const ulong ReadFile = 1 << 2;
    private const ulong ReadFolder = 1 << 3;
    private const ulong EveryFileRight = (1 << 13) - 1;
    private const ulong Refer = 1 << 13;
    private const ulong Truncate = 1 << 14;
    private const ulong WriteFile = 1 << 1;
    private const ulong ConnectTcp = 1 << 1;
    private const ulong Signals = 1 << 1;
    private const int PathOnly = 0x200000 | 0x80000; // O_PATH | O_CLOEXEC
    private const int NoNewPrivileges = 38;

    private readonly int _ruleset;
    private readonly ulong _rights;

    private Landlock(int ruleset, ulong rights) => (_ruleset, _rights) = (ruleset, rights);

    /// <summary>Rules that allow nothing yet: no file, no outgoing TCP connection, no signal to others. Null where the kernel has no Landlock.</summary>
    public static unsafe Landlock? Create()
    {
        long version = SystemCall(CreateRuleset, 0, 0, 1, 0);
        if (version < 1)
        {
            return null;
        }

        ulong rights = EveryFileRight | (version >= 2 ? Refer : 0) | (version >= 3 ? Truncate : 0);
        ulong* attributes = stackalloc ulong[3];
        attributes[0] = rights;
        attributes[1] = version >= 4 ? ConnectTcp : 0;
        attributes[2] = version >= 6 ? Signals : 0;
        int known = version >= 6 ? 3 : version >= 4 ? 2 : 1;
        long ruleset = SystemCall(CreateRuleset, (nint)attributes, known * sizeof(ulong), 0, 0);
        return ruleset < 0 ? null : new Landlock((int)ruleset, rights);
    }

    /// <summary>Allows to read, and to load code from, a file or everything below a folder, if it exists.</summary>
    public void AllowRead(string path) => Allow(path, Execute | ReadFile | ReadFolder);

    /// <summary>Allows to read and write a device or file.</summary>
    public void AllowDevice(string path) => Allow(path, ReadFile | WriteFile);

    /// <summary>Allows everything below a folder.</summary>
    public void AllowWrite(string folder) => Allow(folder, _rights);

    /// <summary>Takes all other rights from the calling thread, and from what it executes.</summary>
    /// <returns>False when the kernel refused.</returns>
    public bool Restrict() => Control(NoNewPrivileges, 1, 0, 0, 0) == 0 && SystemCall(RestrictSelf, _ruleset, 0, 0, 0) == 0;

    public void Dispose() => _ = Close(_ruleset);

    private unsafe void Allow(string path, ulong rights)
    {
        int file = Open(path, PathOnly);
        if (file < 0)
        {
            return; // what is not there needs no rule
        }

        // struct landlock_path_beneath_attr is packed: 8 bytes of rights, 4 of descriptor.
        byte* rule = stackalloc byte[12];
        *(ulong*)rule = rights & (Directory.Exists(path) ? _rights : Execute | ReadFile | WriteFile | (_rights & Truncate));
        *(int*)(rule + 8) = file;
        _ = SystemCall(AddRule, _ruleset, 1, (nint)rule, 0);
        _ = Close(file);
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long SystemCall(long number, nint a, nint b, nint c, nint d);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int Control(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
