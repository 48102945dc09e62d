using System.Collections;
using System.Runtime.InteropServices;
using System.Text;

namespace Sketch.Storage.Embedded;

/// <summary>
/// The last wall behind the gate: the process keeps the right to write its data folder and to read what its code is made of; no other
/// file, no outgoing connection. Landlock binds a thread and what it executes, and .NET has several threads from the start: so the process restricts
/// one and executes itself anew from it, with the same id and the same standard input.
/// </summary>
internal static unsafe partial class Confinement
{
    /// <summary>Set in the second life.</summary>
    private const string Marker = "SKETCH_CLICKHOUSE_CONFINED";

    private static readonly string[] Code = ["/usr", "/lib", "/lib64", "/opt", "/nix/store"];

    /// <summary>What the C library, .NET and the engine ask about the machine. Not /proc as a whole: other processes' environment is there.</summary>
    private static readonly string[] Machine =
    [
        "/etc/dotnet", "/etc/localtime", "/etc/timezone", "/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/hosts", "/etc/host.conf", "/etc/resolv.conf",
        "/etc/os-release", "/etc/ssl/openssl.cnf", "/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/sys", "/proc/version",
        "/proc/loadavg", "/proc/uptime", "/proc/diskstats", "/proc/filesystems", "/proc/cgroups", "/sys/fs/cgroup", "/sys/devices/system",
        "/sys/devices/virtual", "/sys/block", "/sys/kernel/mm",
    ];

    /// <summary>
    /// Confines this process; call it before anything else. On the first call it does not return when it succeeds: the process begins anew.
    /// </summary>
    /// <returns>True in the second life; false where the kernel can't.</returns>
    public static bool Enter(EmbeddedClickHouseOptions options, string library)
    {
        if (Environment.GetEnvironmentVariable(Marker) is not null)
        {
            return true;
        }

        using Landlock? landlock = Landlock.Create();
        string? self = Environment.ProcessPath;
        if (landlock is null || self is null)
        {
            return false;
        }

        Directory.CreateDirectory(options.DataFolder);
        foreach (string path in (string[])[.. Code, .. Machine, AppContext.BaseDirectory, RuntimeRoot(), Folder(self), Folder(library)])
        {
            landlock.AllowRead(path);
        }

        foreach (string device in (string[])["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"])
        {
            landlock.AllowDevice(device);
        }

        landlock.AllowWrite(options.DataFolder);
        string[] arguments = File.ReadAllText("/proc/self/cmdline").TrimEnd('\0').Split('\0');
        // The runtime's diagnostics would make files in /tmp.
        string[] environment = [.. Variables(), $"{Marker}=1", "DOTNET_EnableDiagnostics=0"];
        if (landlock.Restrict())
        {
            using NativeList argv = new(arguments);
            using NativeList envp = new(environment);
            _ = Execute(self, argv.Pointer, envp.Pointer);
            throw new IOException($"The process can't execute {self} in confinement: error {Marshal.GetLastPInvokeError()}");
        }

        return false;
    }

    /// <summary>The folder that holds host/, shared/ and the rest of .NET.</summary>
    private static string RuntimeRoot() => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));

    /// <summary>The folder of a file, links resolved.</summary>
    private static string Folder(string file) =>
        Path.GetDirectoryName(File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(file))!;

    private static IEnumerable<string> Variables()
    {
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            yield return $"{variable.Key}={variable.Value}";
        }
    }

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Execute(string path, byte** arguments, byte** environment);

    /// <summary>Strings as C has them, ended by a null pointer.</summary>
    private readonly ref struct NativeList
    {
        public NativeList(IReadOnlyList<string> strings)
        {
            Pointer = (byte**)NativeMemory.AllocZeroed((nuint)(strings.Count + 1), (nuint)sizeof(byte*));
            for (int i = 0; i < strings.Count; i++)
            {
                byte[] text = Encoding.UTF8.GetBytes(strings[i]);
                Pointer[i] = (byte*)NativeMemory.AllocZeroed((nuint)text.Length + 1);
                text.CopyTo(new Span<byte>(Pointer[i], text.Length));
            }
        }

        public byte** Pointer { get; }

        public void Dispose()
        {
            for (int i = 0; Pointer[i] is not null; i++)
            {
                NativeMemory.Free(Pointer[i]);
            }

            NativeMemory.Free(Pointer);
        }
    }
}
