using Microsoft.AspNetCore.Http.Connections.Client;

namespace Sketch.Client;

/// <summary>How a <see cref="LiveConnection"/> is made.</summary>
public sealed class LiveConnectionOptions
{
    /// <summary>JSON on the wire in place of MessagePack, which is smaller and carries 64-bit numbers whole for everybody.</summary>
    public bool UseJson { get; init; }

    /// <summary>How often in a row the node may be out of reach before a stream ends with an error; without end by default.</summary>
    public int MaxFailures { get; init; } = int.MaxValue;

    /// <summary>Headers, proxy, certificates.</summary>
    public Action<HttpConnectionOptions>? ConfigureHttp { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Spreads the attempts of many clients.</summary>
    public Random Random { get; init; } = Random.Shared;
}
