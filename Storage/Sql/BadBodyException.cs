namespace Sketch.Storage.Sql;

/// <summary>A body that is not in the frames that it says it is in; nothing of it was used.</summary>
internal sealed class BadBodyException(int code, string message) : Exception(message)
{
    /// <summary>ClickHouse's code for a body that ends within a frame.</summary>
    public const int Incomplete = 33;

    /// <summary>ClickHouse's code for a frame that is larger than allowed.</summary>
    public const int TooLarge = 39;

    /// <summary>ClickHouse's code for a frame whose bytes are not those that were sent.</summary>
    public const int Checksum = 40;

    /// <summary>ClickHouse's code for a method that it does not know.</summary>
    public const int UnknownMethod = 89;

    /// <summary>ClickHouse's code for a block that does not give the bytes that its frame promises.</summary>
    public const int Block = 271;

    /// <summary>ClickHouse's error code.</summary>
    public int Code { get; } = code;
}
