using System.Globalization;

namespace Sketch.Server.Hosting;

/// <summary>
/// The settings of a node: one table for the command line, the environment (SKETCH__HTTP_PORT) and appsettings.json ("Sketch": {"HttpPort"}),
/// so that each is checked in one place and refused with one sentence.
/// </summary>
internal static class ServeSettings
{
    private const string Section = "Sketch";
    private const int MaxSeconds = 3_600;
    private const long MinSketchBytes = 4 << 10;
    private const long MaxSketchBytes = 1 << 30;
    private const long MinLogBytes = 1L << 30;
    private const long MaxLogBytes = 1L << 40;

    /// <summary>Every setting, in the order in which help lists them.</summary>
    public static IReadOnlyList<Setting> All { get; } =
    [
        new("data", "DIR", "Folder for everything the node keeps (default ./data).", (o, v) => o with { Data = v.Folder() }),
        new("http-port", "N", "REST, live hub and dashboard (default 8080; 0 = any free port).", (o, v) => o with { HttpPort = v.Port() }),
        new("grpc-port", "N", "gRPC. No listener in this version; accepted and ignored.", (o, v) => o with { GrpcPort = v.Port() }),
        new("resp-port", "N", "RESP. No listener in this version; accepted and ignored.", (o, v) => o with { RespPort = v.Port() }),
        new("sql-port", "N", "ClickHouse's HTTP interface, read-only (default 8123; 0 = any free port).", (o, v) => o with { SqlPort = v.Port() }),
        new("window", "SECONDS", "How long a window stays open at least, 1 to 3600 (default 5).", (o, v) => o with { WindowSeconds = v.Seconds() }),
        new("checkpoint-every", "SECONDS", "How often closed windows are stored exactly, 1 to 3600 (default 1).", (o, v) => o with { CheckpointEverySeconds = v.Seconds() }),
        new("sketch-memory", "BYTES", "An open window's count-min, 4KiB to 1GiB (default 16MiB); less memory, wider bounds.", (o, v) => o with { SketchMemoryBytes = v.Bytes() }),
        new("totals-memory", "BYTES", "Counters whose totals are at hand, 30 bytes each, 1MiB to 1024GiB (default 352MiB: 12 million); others are read from ClickHouse.", (o, v) => o with { TotalsMemoryBytes = v.TotalsBytes() }),
        new("log-limit", "BYTES", "What the log may hold while ClickHouse is away, 1GiB to 1024GiB (default 64GiB); then increments get 429.", (o, v) => o with { LogLimitBytes = v.LogBytes() }),
        new("log-keep", "BYTES", "What of the log stays to verify with after it was stored, 256MiB to 1024GiB (default 1GiB).", (o, v) => o with { LogKeepBytes = v.LogKeepBytes() }),
        new("backup", "DIR", "Make backups here: a full one each day and an incremental one each hour (default: none).", (o, v) => o with { Backup = v.Folder() }),
        new("backup-keep", "N", "How many of them stay, 1 to 1000 (default 30).", (o, v) => o with { BackupKeep = v.Keep() }),
        new("clickhouse", "URL", "A ClickHouse server to use in place of the embedded one, http://user:password@host:8123/database.", (o, v) => o with { ClickHouse = v.Url("http", "https") }),
        new("clickhouse-cluster", "NAME", "The cluster of that server to make the tables on: replicated, and distributed over its shards (default: none).", (o, v) => o with { ClickHouseCluster = v.Name() }),
        new("nats", "URL", "The cluster's log. No cluster in this version; accepted and ignored.", (o, v) => o with { Nats = v.Url("nats", "tls") }),
        new("webhook-hosts", "HOSTS", "Hosts that webhooks of alerts may go to beside this machine: hooks.example.org,*.example.com (default none).", (o, v) => o with { WebhookHosts = v.Hosts() }),
        new("node", "NAME", "The node's name (default: the machine's).", (o, v) => o with { Node = v.Name() }),
        new("demo", null, "Send demo traffic into the namespace demo. --no-demo forbids it.", (o, v) => o with { Demo = v.Flag() }),
    ];

    /// <summary>Reads appsettings.json beside the executable and in the working folder, then the environment, then the command line.</summary>
    /// <exception cref="SettingException">A setting is unknown or its value is not allowed.</exception>
    public static ServeOptions Bind(IConfiguration configuration, IReadOnlyDictionary<string, string> commandLine)
    {
        ServeOptions options = new();
        foreach (IConfigurationSection section in configuration.GetSection(Section).GetChildren())
        {
            if (section.Value is not { } value)
                continue;
            string shown = $"{Section}:{section.Key}";
            options = Find(section.Key, shown).Apply(options, new(shown, value));
        }

        foreach ((string name, string value) in commandLine)
            options = Find(name, "--" + name).Apply(options, new("--" + name, value));

        return options;
    }

    /// <summary>The configuration a node reads when it starts as a process.</summary>
    public static IConfigurationRoot Configuration() => new ConfigurationBuilder()
        .AddJsonFile(Path.Combine(AppContext.BaseDirectory, "appsettings.json"), optional: true)
        .AddJsonFile(Path.GetFullPath("appsettings.json"), optional: true)
        .AddEnvironmentVariables()
        .Build();

    // HTTP_PORT, HttpPort and http-port are one setting.
    private static Setting Find(string key, string shown)
    {
        string plain = Plain(key);
        return All.FirstOrDefault(s => Plain(s.Name).Equals(plain, StringComparison.OrdinalIgnoreCase))
            ?? throw new SettingException(shown, "not a setting", string.Join(", ", All.Select(s => s.Name)));
    }

    private static string Plain(string key) => key.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);

    /// <summary>One setting.</summary>
    /// <param name="Name">As on the command line, without the dashes.</param>
    /// <param name="ValueName">What help calls its value; null for a flag.</param>
    /// <param name="Description">For help.</param>
    /// <param name="Apply">Checks a value and sets it.</param>
    internal sealed record Setting(string Name, string? ValueName, string Description, Func<ServeOptions, Value, ServeOptions> Apply);

    /// <summary>A value and the name under which it was given. What is asked of it throws <see cref="SettingException"/>, naming the field, the value and what is allowed, when it is none.</summary>
    /// <param name="Field">The name.</param>
    /// <param name="Text">The value.</param>
    internal readonly record struct Value(string Field, string Text)
    {
        /// <summary>A port; 0 takes a free one.</summary>
        public int Port() => (int)Whole(0, 65_535, "0 to 65535");

        /// <summary>Seconds, up to an hour.</summary>
        public int Seconds() => (int)Whole(1, MaxSeconds, "1 to 3600 seconds");

        /// <summary>Bytes of a sketch.</summary>
        public long Bytes() => Bytes(MinSketchBytes, MaxSketchBytes, "4096 to 1073741824 bytes (4KiB to 1GiB)");

        /// <summary>Bytes for totals in memory.</summary>
        public long TotalsBytes() => Bytes(1 << 20, MaxLogBytes, "1MiB to 1024GiB");

        /// <summary>Bytes that the log may take at most.</summary>
        public long LogBytes() => Bytes(MinLogBytes, MaxLogBytes, "1GiB to 1024GiB");

        /// <summary>Bytes of the log that are kept though nobody needs them.</summary>
        public long LogKeepBytes() => Bytes(256L << 20, MaxLogBytes, "256MiB to 1024GiB");

        /// <summary>How many of something are kept.</summary>
        public int Keep() => (int)Whole(1, 1_000, "1 to 1000");

        private long Bytes(long least, long most, string allowed)
        {
            (string digits, long unit) = Text switch
            {
                _ when Text.EndsWith("KiB", StringComparison.OrdinalIgnoreCase) => (Text[..^3], 1L << 10),
                _ when Text.EndsWith("MiB", StringComparison.OrdinalIgnoreCase) => (Text[..^3], 1L << 20),
                _ when Text.EndsWith("GiB", StringComparison.OrdinalIgnoreCase) => (Text[..^3], 1L << 30),
                _ => (Text, 1L),
            };
            return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long count)
                && count <= most / unit && count * unit >= least
                    ? count * unit
                    : throw Refuse(allowed);
        }

        /// <summary>A folder, as a full path.</summary>
        public string Folder() => Text.Length > 0 && !Text.Contains('\0')
            ? Path.GetFullPath(Text)
            : throw Refuse("the path of a folder");

        /// <summary>A URL of one of some schemes.</summary>
        public Uri Url(params string[] schemes) => Uri.TryCreate(Text, UriKind.Absolute, out Uri? url) && schemes.Contains(url.Scheme)
            ? url
            : throw Refuse("a URL that starts with " + string.Join(" or ", schemes.Select(s => s + "://")));

        /// <summary>A name of up to 64 plain characters.</summary>
        public string Name() => Text.Length is > 0 and <= 64 && Text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            ? Text
            : throw Refuse("1 to 64 letters, digits, '-', '_' and '.'");

        /// <summary>Names or addresses of hosts, with commas between them.</summary>
        public IReadOnlyList<string> Hosts()
        {
            string[] hosts = Text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            return hosts.Length <= 100 && hosts.All(h => Uri.CheckHostName(h.StartsWith("*.", StringComparison.Ordinal) ? h[2..] : h) != UriHostNameType.Unknown)
                ? hosts
                : throw Refuse("at most 100 host names or addresses, with commas between them; *.example.com for all names below");
        }

        /// <summary>True or false.</summary>
        public bool Flag() => bool.TryParse(Text, out bool flag) ? flag : throw Refuse("true or false");

        private long Whole(long min, long max, string allowed) =>
            long.TryParse(Text, NumberStyles.None, CultureInfo.InvariantCulture, out long n) && n >= min && n <= max ? n : throw Refuse(allowed);

        private SettingException Refuse(string allowed) => new(Field, Text.Length == 0 ? "empty" : Text, allowed);
    }
}
