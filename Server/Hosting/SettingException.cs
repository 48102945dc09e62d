namespace Sketch.Server.Hosting;

/// <summary>A node can't start; the message is a sentence for the operator.</summary>
internal sealed class SettingException : Exception
{
    public SettingException(string field, string value, string allowed, int exitStatus = ExitCode.Usage)
        : base($"{field} is {value}; allowed: {allowed}")
    {
        Field = field;
        ExitStatus = exitStatus;
    }

    /// <summary>The option or setting that was refused.</summary>
    public string Field { get; }

    /// <summary>What the process answers.</summary>
    public int ExitStatus { get; }
}
