//! Trust and its loss: builders that are not believed any more, and provenance that was replaced.
//! None of it draws anything or changes what is built, found or promised: one fact, and no more.
use super::World;
use crate::command::CommandError;
use crate::fact::FactKind;
use crate::ids::{BuilderId, ImageId, VersionRef};
use crate::recorder::Recorder;

impl World {
    /// A builder is not trusted any more.
    pub(super) fn distrust(
        &mut self,
        builder: BuilderId,
        recorder: &mut impl Recorder,
    ) -> Result<(), CommandError> {
        let count = self.config.builders;
        let external = builder == BuilderId::EXTERNAL && self.external_used;
        if builder.0 >= count && !external {
            return Err(CommandError::UnknownBuilder { found: builder.0, count });
        }
        if !self.lost_trust.builders.insert(builder) {
            return Err(CommandError::DistrustedBefore(builder.0));
        }
        self.emit(|| FactKind::BuilderDistrusted { builder }, recorder);
        Ok(())
    }

    /// The provenance of an image's newest version is replaced.
    pub(super) fn tamper(
        &mut self,
        image: ImageId,
        recorder: &mut impl Recorder,
    ) -> Result<(), CommandError> {
        let version = match self.images.get(image.index()) {
            None => return Err(CommandError::UnknownImage(image.0)),
            Some(state) if state.version == 0 => {
                return Err(CommandError::NothingPublished(image.0));
            }
            Some(state) => VersionRef { image, version: state.version },
        };
        if !self.lost_trust.provenance.insert(version) {
            let VersionRef { version, .. } = version;
            return Err(CommandError::TamperedBefore { image: image.0, version });
        }
        self.emit(|| FactKind::AttestationTampered { version }, recorder);
        Ok(())
    }
}
