using System.Globalization;

namespace Sketch.Storage.Embedded;

/// <summary>How the embedded ClickHouse process runs. Its secret comes through standard input, never here.</summary>
public sealed record EmbeddedClickHouseOptions
{
    /// <summary>Where BACKUP writes and RESTORE reads, within <see cref="DataFolder"/>: the process can reach no other folder.</summary>
    public const string BackupsFolder = "backups";

    /// <summary>The folder that holds the data; one process at a time.</summary>
    public required string DataFolder { get; init; }

    /// <summary>The loopback port to listen on; 0, or one that is taken, means any free one.</summary>
    public int Port { get; init; }

    /// <summary>libchdb.so; null lets <see cref="LibChdbPath"/> find it.</summary>
    public string? LibraryPath { get; init; }

    /// <summary>The most memory the engine takes, in bytes; 0 takes half of the machine's, 8 GiB at most.</summary>
    public long MaxMemoryBytes { get; init; }

    /// <summary>Gives up every file but the data and the code, and outgoing connections, where the kernel can (Landlock, Linux 5.13; connections 6.7).</summary>
    public bool Confine { get; init; } = true;

    /// <summary>What readers may use.</summary>
    public ReaderLimits ReaderLimits { get; init; } = new();

    /// <summary>The arguments that <see cref="Parse"/> reads.</summary>
    public IReadOnlyList<string> ToArguments()
    {
        List<string> arguments =
        [
            "--path", DataFolder, "--port", Port.ToString(CultureInfo.InvariantCulture),
            "--confine", Confine ? "1" : "0",
            "--max-memory", MaxMemoryBytes.ToString(CultureInfo.InvariantCulture),
            "--reader-seconds", ReaderLimits.MaxSeconds.ToString(CultureInfo.InvariantCulture),
            "--reader-memory", ReaderLimits.MaxMemoryBytes.ToString(CultureInfo.InvariantCulture),
            "--reader-rows", ReaderLimits.MaxResultRows.ToString(CultureInfo.InvariantCulture),
        ];
        if (LibraryPath is not null)
        {
            arguments.AddRange(["--library", LibraryPath]);
        }

        return arguments;
    }

    /// <summary>Reads the arguments of the process.</summary>
    /// <exception cref="ArgumentException">An argument is unknown, or its value is not allowed.</exception>
    public static EmbeddedClickHouseOptions Parse(IReadOnlyList<string> arguments)
    {
        EmbeddedClickHouseOptions options = new() { DataFolder = "" };
        for (int i = 0; i + 1 < arguments.Count; i += 2)
        {
            string value = arguments[i + 1];
            options = arguments[i] switch
            {
                "--path" => options with { DataFolder = value },
                "--library" => options with { LibraryPath = value },
                "--port" => options with { Port = (int)Number(arguments[i], value, 65_535) },
                "--confine" => options with { Confine = Number(arguments[i], value, 1) == 1 },
                "--max-memory" => options with { MaxMemoryBytes = Number(arguments[i], value) },
                "--reader-seconds" => options with { ReaderLimits = options.ReaderLimits with { MaxSeconds = (int)Number(arguments[i], value, 86_400) } },
                "--reader-memory" => options with { ReaderLimits = options.ReaderLimits with { MaxMemoryBytes = Number(arguments[i], value) } },
                "--reader-rows" => options with { ReaderLimits = options.ReaderLimits with { MaxResultRows = Number(arguments[i], value) } },
                _ => throw new ArgumentException($"argument {arguments[i]} is unknown; allowed: those of EmbeddedClickHouseOptions.ToArguments"),
            };
        }

        return arguments.Count % 2 == 0 && options.DataFolder.Length > 0
            ? options
            : throw new ArgumentException("--path is missing, or an argument has no value; allowed: pairs of --name value, with --path");
    }

    private static long Number(string name, string value, long max = long.MaxValue) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number <= max
            ? number
            : throw new ArgumentException($"{name} is {value}; allowed: 0 to {max}");
}

/// <summary>What one reader's query may use.</summary>
public sealed record ReaderLimits
{
    /// <summary>Seconds a query may run.</summary>
    public int MaxSeconds { get; init; } = 60;

    /// <summary>Memory a query may take, in bytes.</summary>
    public long MaxMemoryBytes { get; init; } = 2L << 30;

    /// <summary>Rows an answer may have.</summary>
    public long MaxResultRows { get; init; } = 10_000_000;

    /// <summary>Bytes an answer may have, as the engine holds it; a quarter of that in formats that cannot be streamed.</summary>
    public long MaxResultBytes { get; init; } = 256L << 20;

    /// <summary>Readers' queries that run at the same time; four times as many wait, more are told to come back.</summary>
    public int MaxConcurrent { get; init; } = 8;
}
