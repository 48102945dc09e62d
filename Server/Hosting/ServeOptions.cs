namespace Sketch.Server.Hosting;

/// <summary>What an operator chooses for a node; made by <see cref="ServeSettings.Bind"/>, which checks every value.</summary>
internal sealed record ServeOptions
{
    /// <summary>The folder of the log, the snapshots and the embedded ClickHouse; absolute.</summary>
    public string Data { get; init; } = Path.GetFullPath("data");

    /// <summary>REST, hub and dashboard; 0 takes a free port.</summary>
    public int HttpPort { get; init; } = 8080;

    /// <summary>gRPC; null when nobody named one.</summary>
    public int? GrpcPort { get; init; }

    /// <summary>RESP; null when nobody named one.</summary>
    public int? RespPort { get; init; }

    /// <summary>ClickHouse's HTTP interface, read-only; 0 takes a free port.</summary>
    public int SqlPort { get; init; } = 8123;

    /// <summary>How long a window stays open; longer while the store takes long, less when it is full.</summary>
    public int WindowSeconds { get; init; } = 5;

    /// <summary>How often closed windows are stored exactly.</summary>
    public int CheckpointEverySeconds { get; init; } = 1;

    /// <summary>Size of an open window's count-min sketch.</summary>
    public long SketchMemoryBytes { get; init; } = 16 << 20;

    /// <summary>Memory of counters whose totals are at hand.</summary>
    public long TotalsMemoryBytes { get; init; } = 352L << 20;

    /// <summary>Bytes that the log may hold while checkpoints do not move on.</summary>
    public long LogLimitBytes { get; init; } = 64L << 30;

    /// <summary>What of the log stays behind the last checkpoint, to verify with, in bytes.</summary>
    public long LogKeepBytes { get; init; } = 1L << 30;

    /// <summary>The folder of scheduled backups; null makes none.</summary>
    public string? Backup { get; init; }

    /// <summary>How many backups stay.</summary>
    public int BackupKeep { get; init; } = 30;

    /// <summary>True forces demo traffic, false forbids it, null leaves it to <see cref="Bare"/>.</summary>
    public bool? Demo { get; init; }

    /// <summary>True when the command line was empty: then a node with nothing of its own in it shows demo traffic.</summary>
    public bool Bare { get; init; }

    /// <summary>A ClickHouse server to use in place of the embedded one.</summary>
    public Uri? ClickHouse { get; init; }

    /// <summary>The cluster of that server that the tables are made on; null for one server.</summary>
    public string? ClickHouseCluster { get; init; }

    /// <summary>A NATS server for the cluster's log; null when nobody named one.</summary>
    public Uri? Nats { get; init; }

    /// <summary>Hosts that webhooks of alerts may go to beside this machine.</summary>
    public IReadOnlyList<string> WebhookHosts { get; init; } = [];

    /// <summary>The node's name in logs and on the dashboard.</summary>
    public string Node { get; init; } = Environment.MachineName;
}
